"""Who is still taken along as a run goes on."""

from __future__ import annotations

from orchestrator.ports.plays import PlayResult
from orchestrator.reporting.model import Host
from orchestrator.results import Readiness, RunResults
from tests.unit.orchestrator.samples import outputs


def host(name: str, **changed: int | bool) -> Host:
    return Host(**{"name": name, "ok": 1, "changed": 0, "failed": 0, "unreachable": False, **changed})


def names(servers: object) -> list[str]:
    assert isinstance(servers, list)
    return [each.name for each in servers]


def test_nobody_before_the_outputs_are_read() -> None:
    empty = RunResults()
    assert [*empty.reachable(), *empty.healthy(), *empty.hosts("")] == []


def test_who_is_stuck_or_failed_is_left_behind() -> None:
    results = RunResults(
        outputs=outputs(), readiness=[Readiness("web-1", 1.0, "ssh", "m"), Readiness("web-2", 1.0)]
    )
    assert names(results.reachable()) == ["web-2", "db-1"]
    assert names(results.reachable(["web-1", "db-1"])) == ["db-1"]
    results.play = PlayResult([host("web-2", unreachable=True), host("db-1")])
    assert names(results.healthy()) == ["db-1"]
    results.play = PlayResult([host("web-2"), host("db-1", failed=1)])
    assert names(results.healthy()) == ["web-2"]
    assert [each.name for each in results.hosts("")] == ["web-1", "web-2", "db-1"]
