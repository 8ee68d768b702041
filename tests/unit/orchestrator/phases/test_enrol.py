"""Every server with a plan gets its own repository, once, and credentials before anything uses them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.inventory.build import RepositoryAccess
from orchestrator.phases.enrol import enrol, writers_by_repository
from stacks.outputs import ServerOutput
from tests.fakes import NOON, FakeCredentials, FakeStore, FixedClock
from tests.unit.orchestrator.samples import FLEET, fleet, outputs, server


class Bench:
    """One vault and where its credentials are kept."""

    def __init__(self) -> None:
        self.store = FakeStore(FixedClock())
        self.keys = FakeCredentials()
        self.said: list[str] = []

    def enrol(self, *servers: ServerOutput, text: str = FLEET) -> Mapping[str, RepositoryAccess]:
        return enrol(
            fleet(text), outputs(), servers, lambda _: self.store, lambda _: self.keys, NOON, self.said.append
        )


WEB, DB = server("web-1"), server("db-1")


def test_each_server_gets_its_own() -> None:
    bench = Bench()
    access = bench.enrol(WEB, DB)
    assert set(access) == {"web-1", "db-1"}
    assert access["db-1"].url == f"https://10.42.0.2:8443/{DB.incarnation}/"
    assert access["db-1"].user == DB.incarnation
    assert access["web-1"].password != access["db-1"].password
    assert sorted(bench.store.repositories) == sorted([WEB.incarnation, DB.incarnation])
    assert len(bench.said) == 2


def test_a_second_time_changes_nothing() -> None:
    bench = Bench()
    first = bench.enrol(WEB)
    bench.said.clear()
    assert bench.enrol(WEB) == first
    assert len(bench.store.enrolled) == 1
    assert bench.said == []


def test_a_new_incarnation_under_an_old_name_inherits_nothing() -> None:
    bench = Bench()
    first = bench.enrol(WEB)["web-1"]
    second = bench.enrol(server("web-1", incarnation="f" * 32))["web-1"]
    assert (first.url, first.password) != (second.url, second.password)
    assert len(bench.store.repositories) == 2


def test_lost_credentials_are_told_and_never_made_anew() -> None:
    bench = Bench()
    bench.enrol(WEB)
    bench.keys.known.clear()
    with pytest.raises(
        InputError, match=rf"keys/{WEB.incarnation}\.json.*its credentials are not here.*Restore that file"
    ):
        bench.enrol(WEB)
    assert bench.keys.known == {}


def test_a_stop_between_keeping_and_enrolling_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()

    def fails(_: object) -> None:
        raise ToolError("vault-1", "connection lost")

    monkeypatch.setattr(bench.store, "enrol", fails)
    with pytest.raises(ToolError):
        bench.enrol(WEB)
    kept = bench.keys.known[WEB.incarnation]
    monkeypatch.undo()
    assert bench.enrol(WEB)["web-1"].password == kept.password


def test_servers_without_a_plan_are_left_alone() -> None:
    text = FLEET.replace("    backup: [databases]\n", "    backup: []\n").replace(
        "mount: /var/lib/postgresql", "mount: /x, disposable: true"
    )
    text = text[: text.index("  databases:\n")]
    assert set(Bench().enrol(WEB, DB, text=text)) == {"web-1"}


def test_servers_are_grouped_by_the_vault_they_write_to() -> None:
    text = FLEET.replace(
        "{vault: {stack: acme-vault}}", "{vault: {stack: acme-vault}, second: {stack: acme-other}}"
    )
    text = text.replace("{postgresql: [shop], repository: vault", "{postgresql: [shop], repository: second")
    found = writers_by_repository(fleet(text), [WEB, DB, server("web-2")])
    assert {name: [each.name for each in writers] for name, writers in found.items()} == {
        "vault": ["web-1", "web-2"],
        "second": ["db-1"],
    }
