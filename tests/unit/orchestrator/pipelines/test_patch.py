"""The order of `steward patch`: the first server that is not well stops the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.pipelines.patch import patch_steps
from orchestrator.step_runner import LocalStepRunner, Watcher
from tests.unit.orchestrator.bench import Bench

CHANGE = {"package": "nginx", "before": "1", "after": "2", "security": True}


def said(**content: Any) -> str:
    return json.dumps({"schema": "steward.host-patch/1", "boot": "one", **content})


@pytest.fixture(autouse=True)
def upgrading(bench: Bench) -> None:
    """Every server has one package to upgrade."""
    bench.shell.script = {"sudo -n python3 -I - ": said(changes=[CHANGE]), **bench.shell.script}


def run(bench: Bench, *wanted: str, now: bool = True) -> Any:
    steps = patch_steps(bench.adapters, bench.results, wanted, now=now, security_only=False)
    return LocalStepRunner(bench.adapters.clock, Watcher(), bench.results.steps.append).execute(steps)


def test_servers_are_patched_one_after_the_other_and_looked_at_in_between(bench: Bench) -> None:
    assert run(bench) is None
    names = [step.name for step in bench.results.steps]
    assert names == [
        "window",
        "outputs",
        "ready",
        "before",
        "patch web-1",
        "patch web-2",
        "patch db-1",
        "verify",
    ]
    assert [(each.server, each.upgrades[0].after) for each in bench.results.patched] == [
        ("web-1", "2"), ("web-2", "2"), ("db-1", "2"),
    ]  # fmt: skip
    everything = ["web-1", "web-2", "db-1"]
    assert bench.verifier.looked == [*everything, *everything, *everything]


def test_a_server_that_is_not_well_afterwards_stops_the_rest(bench: Bench) -> None:
    looks = {"count": 0}
    observe = bench.verifier.observe

    def worse(server: Any, expectations: Any) -> Any:
        looks["count"] += 1
        bench.verifier.failing = ["web-1 nginx.running"] if looks["count"] > 3 else []
        return observe(server, expectations)

    bench.verifier.observe = worse  # type: ignore[method-assign]
    problem = run(bench)
    assert "web-1: is not healthy after it was patched, got nginx.running" in str(problem)
    assert "not begun: web-2, db-1" in str(problem)
    assert [each.server for each in bench.results.patched] == ["web-1"]


def test_nothing_is_begun_while_a_server_is_not_well(bench: Bench) -> None:
    bench.verifier.failing = ["db-1 postgresql.running"]
    problem = run(bench, "web-1")
    assert problem is not None
    assert problem.exit_code == 1
    assert "not begun: 1 checks fail already" in str(problem)
    assert bench.results.patched == ()


def test_a_package_that_cannot_be_upgraded_stops_the_rest(bench: Bench) -> None:
    bench.shell.script = {"web-2: sudo -n python3 -I - ": said(problem="no space"), **bench.shell.script}
    problem = run(bench)
    assert "web-2: could not be patched: no space" in str(problem)
    assert [each.server for each in bench.results.patched] == ["web-1"]


def test_a_server_without_a_due_reboot_is_not_rebooted(bench: Bench) -> None:
    run(bench)
    assert not any("reboot" in line for line in bench.shell.asked)
