"""Which hosts are judged, and what is said of those that a run left out, on fakes of the ports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.phases.judge import HOSTS
from orchestrator.pipelines.step import Steps
from orchestrator.pipelines.up import up_steps
from orchestrator.pipelines.verify import verify_steps
from orchestrator.ports.provisioning import Preview
from orchestrator.reporting.policy.model import NotChecked
from orchestrator.results import RunResults
from policies.model import Phase
from tests.unit.orchestrator.bench import Bench, not_ready


@pytest.mark.parametrize("build", [up_steps, verify_steps])
def test_hosts_that_were_left_out_by_choice_are_judged_as_left_out(
    bench: Bench, build: Callable[..., Steps]
) -> None:
    assert bench.execute(build, ("web-1",)) is None
    known, phase = bench.judge.asked[-1]
    assert (phase, [each["host"] for each in known.hosts]) == (Phase.LIVE, ["web-1"])
    assert known.left_out == {"web-2": "left out by --host", "db-1": "left out by --host"}


def test_a_host_that_failed_is_not_missing_from_what_is_judged(bench: Bench) -> None:
    bench.runner.failing = ["web-1"]
    assert bench.execute(up_steps) is None
    assert bench.judge.asked[-1][0].left_out == {
        "web-1": "its playbooks failed in this run, so nobody asked it"
    }


def test_of_a_host_that_nobody_asked_nobody_says_that_nothing_changed(bench: Bench) -> None:
    bench.execute(up_steps)
    bench.provisioner.planned, bench.results = Preview((), 10, ()), RunResults()
    bench.judge.not_checked = (NotChecked(what=HOSTS, why="this run did not ask them"),)
    not_ready(bench, "db-1")
    assert bench.execute(up_steps, ("web-1", "db-1")) is None
    assert bench.results.judgement is not None
    told = {row.what: row.why for row in bench.results.judgement.report.not_checked}
    assert told.pop("host db-1").startswith("not ready: ssh, ")
    assert told == {
        "hosts from inside": "nothing changed on web-1 since run RUN",
        "host web-2": "left out by --host",
    }
