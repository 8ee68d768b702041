"""Destroying reads the state first and touches nothing while data would go."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.backups.holdings import Held
from orchestrator.errors import InputError, ToolError
from orchestrator.phases.destroy import Allowed, backups_here, check, data_bearing, destroy
from orchestrator.ports.provisioning import StateResource
from tests.fakes import NOON, FakeCredentials, FakeProvisioner, FakeStore, FixedClock, MemoryLedger
from tests.unit.orchestrator.samples import FLEET, fleet, outputs


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
        check("acme-demo", provisioner, Allowed(allowed))
    assert provisioner.asked == ["resources"]


def test_a_name_that_bears_no_data_is_a_mistake() -> None:
    provisioner = bench()
    with pytest.raises(InputError, match=r"names 'db-1-scratch', which bears no data.*got assets, db-1-data"):
        check("acme-demo", provisioner, Allowed(["assets", "db-1-data", "db-1-scratch"]))
    assert provisioner.asked == ["resources"]


def test_what_is_named_is_unprotected_and_all_goes() -> None:
    provisioner = bench()
    bearing = check("acme-demo", provisioner, Allowed(["assets", "db-1-data"]))
    assert len(destroy("acme-demo", provisioner, bearing)) == 4
    assert [word.split()[0] for word in provisioner.asked] == ["resources", "unprotect", "destroy"]
    assert "db-1-scratch" not in provisioner.asked[1]


def test_a_fleet_without_data_goes_without_a_word() -> None:
    provisioner = bench([resource("local:index:Server", "web-1")])
    assert len(destroy("acme-demo", provisioner, check("acme-demo", provisioner, Allowed()))) == 1
    assert provisioner.asked == ["resources", "destroy"]


HELD = [Held("acme-lab", "box-1", 1, NOON), Held("acme-shop", "web-1", 3, NOON)]
VAULT = [resource("local:index:Volume", "vault-1-repositories", dataBearing=True)]


def test_a_vault_says_whose_backups_go_before_it_refuses() -> None:
    with pytest.raises(InputError) as refused:
        check("acme-vault", bench(VAULT), Allowed(), HELD, ["acme-shop"])
    assert "data would be lost with vault-1-repositories; nothing was touched" in str(refused.value)
    assert "backups of acme-shop: web-1 3 snapshots, newest 2026-11-22 12:00 UTC" in str(refused.value)
    assert "backups of acme-lab: box-1 1 snapshot" in str(refused.value)
    assert "--delete-backups-of" not in str(refused.value)  # not to be pasted along with the volume's


def test_the_backups_of_a_fleet_that_lives_need_a_word_of_their_own() -> None:
    provisioner, named = bench(VAULT), ["vault-1-repositories"]
    with pytest.raises(InputError) as refused:
        check("acme-vault", provisioner, Allowed(named), HELD, ["acme-shop", "acme-web"])
    told = str(refused.value)
    assert "acme-shop would live on without any backup; nothing was touched" in told
    assert "acme-lab" not in told  # that fleet lives no more
    assert "--delete-backups-of acme-shop" in told
    assert "unprotect" not in " ".join(provisioner.asked)
    assert check("acme-vault", provisioner, Allowed(named, ["acme-shop"]), HELD, ["acme-shop"])
    with pytest.raises(InputError, match=r"names 'acme-web', without backups here.*got acme-lab, acme-shop"):
        check("acme-vault", provisioner, Allowed(named, ["acme-shop", "acme-web"]), HELD, ["acme-shop"])


OWN = FLEET.replace("{vault: {stack: acme-vault}}", "{vault: {server: vault}}").replace(
    "  db:\n", "  vault: {size: small, network: app, roles: [backup_vault]}\n  db:\n", 1
)


def test_backups_are_counted_by_the_vault_and_else_by_the_ledger() -> None:
    store, keys, ledger = FakeStore(FixedClock()), FakeCredentials(), MemoryLedger()
    for stack, repository in (("acme-demo", "0a" * 16), ("acme-lab", "0b" * 16)):
        keys.create(repository, "web-1", stack, NOON)
        ledger.record_receipts(stack, "RUN", [store.arrive(repository, repository * 2)])
    store.arrive("0a" * 16, "5" * 64)

    def gone(_name: str) -> FakeStore:
        raise ToolError("vault-1", "does not answer")

    def held(text: str, ask: Any, *, elsewhere: bool) -> list[tuple[str, int]]:
        found = backups_here(fleet(text), ask, lambda _: keys, ledger, elsewhere=elsewhere)
        return [(each.stack, each.snapshots) for each in found]

    assert held(FLEET, lambda _: store, elsewhere=True) == [("acme-demo", 2)]
    assert held(FLEET, lambda _: store, elsewhere=False) == []
    assert held(OWN, lambda _: store, elsewhere=False) == [("acme-demo", 2), ("acme-lab", 1)]
    assert held(OWN, gone, elsewhere=False) == [("acme-demo", 1), ("acme-lab", 1)]
