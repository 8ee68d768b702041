"""Destroying reads the state first and touches nothing while data would go."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.errors import InputError
from orchestrator.phases.destroy import check, data_bearing, destroy
from orchestrator.ports.provisioning import StateResource
from tests.fakes import FakeProvisioner
from tests.unit.orchestrator.samples import outputs


def resource(token: str, name: str, *, protect: bool = False, **inputs: Any) -> StateResource:
    return StateResource(f"urn:pulumi:acme-demo::steward::{token}::{name}", token, name, inputs, {}, protect)


STATE = [
    resource("steward:index:Volume", "db-1-data", protect=True, dataBearing=True),
    resource("local:index:Volume", "db-1-data", protect=True, dataBearing=True),
    resource("local:index:Volume", "db-1-scratch", dataBearing=False),
    resource("local:index:Bucket", "assets", dataBearing=True),
    resource("local:index:Server", "db-1"),
]


def bench(state: list[StateResource] | None = None) -> FakeProvisioner:
    return FakeProvisioner(outputs(), state=STATE[1:] if state is None else state)


def test_what_bears_data() -> None:
    assert [each.urn.rsplit("::", 1)[-1] for each in data_bearing(STATE)] == ["db-1-data", "assets"]
    assert data_bearing([resource("aws:ebs/volume:Volume", "v", protect=True)])


@pytest.mark.parametrize("allowed", [[], ["db-1-data"], ["assets"]])
def test_nothing_is_touched_while_some_data_is_not_named(allowed: list[str]) -> None:
    provisioner = bench()
    with pytest.raises(
        InputError,
        match=r"nothing was touched.*for good: --delete-data assets --delete-data db-1-data",
    ):
        check("acme-demo", provisioner, allowed)
    assert provisioner.asked == ["resources"]


def test_a_name_that_bears_no_data_is_a_mistake() -> None:
    provisioner = bench()
    with pytest.raises(InputError, match=r"names 'db-1-scratch', which bears no data.*got assets, db-1-data"):
        check("acme-demo", provisioner, ["assets", "db-1-data", "db-1-scratch"])
    assert provisioner.asked == ["resources"]


def test_what_is_named_is_unprotected_and_all_goes() -> None:
    provisioner = bench()
    bearing = check("acme-demo", provisioner, ["assets", "db-1-data"])
    assert len(destroy("acme-demo", provisioner, bearing)) == 4
    assert [word.split()[0] for word in provisioner.asked] == ["resources", "unprotect", "destroy"]
    assert "db-1-scratch" not in provisioner.asked[1]


def test_a_fleet_without_data_goes_without_a_word() -> None:
    provisioner = bench([resource("local:index:Server", "web-1")])
    assert len(destroy("acme-demo", provisioner, check("acme-demo", provisioner, []))) == 1
    assert provisioner.asked == ["resources", "destroy"]
