"""A run's record, drawn from whatever the run came to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.errors import FindingsError, StewardError, StoppedError, ToolError
from orchestrator.phases.report import RunFacts, build_report, fleet_label
from orchestrator.ports.plays import PlayResult
from orchestrator.ports.policies import Judgement
from orchestrator.ports.provisioning import Preview, Provisioned
from orchestrator.reporting.json import from_json, to_json
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Change, Check, Host, PolicyResult, Step, StepState, Verdict
from orchestrator.reporting.terminal import summary
from orchestrator.reporting.verdict import policy_counts
from orchestrator.results import Readiness, RunResults
from tests.fakes import NOON
from tests.unit.orchestrator.samples import loaded, outputs, server
from tests.unit.reporting.policy.sample import refused

FACTS = RunFacts(
    "RUN", "up", "ann", "0.1.0", {"pulumi": "3"}, NOON, NOON + timedelta(minutes=1), "fleets/demo.yaml"
)
CHANGE = Change(op="create", kind="server", name="web-1", urn="u")


def step(state: StepState = StepState.DONE) -> Step:
    return Step(name="plan", phase="plan", state=state, started_at=NOON, duration_seconds=1.0)


def test_a_run_that_found_nothing() -> None:
    report = build_report(FACTS, loaded(), RunResults(steps=[step()]), None)
    assert (report.exit_code, report.complete, report.run, report.actor) == (0, True, "RUN", "ann")
    assert (report.servers, report.changes, report.findings) == ([], (), [])
    assert not report.servers_looked_at
    assert [server.name for server in report.fleet_servers] == ["web-1", "web-2", "db-1"]
    assert {(flow.source, flow.target, flow.port) for flow in report.flows} >= {
        ("web", "db", 5433),
        ("anywhere", "web", 8080),
    }
    assert from_json(to_json(report)).run == "RUN"


@pytest.mark.parametrize(
    ("problem", "code"),
    [(ToolError("x", "m"), 3), (FindingsError("x", "m"), 1), (StoppedError("x", "m"), 130)],
)
def test_an_error_decides_the_exit_code_and_the_report_says_that_it_is_not_complete(
    problem: StewardError, code: int
) -> None:
    report = build_report(FACTS, loaded(), RunResults(steps=[step(StepState.FAILED)]), problem)
    assert (report.exit_code, report.complete) == (code, False)


def test_the_report_of_a_run_counts_what_its_policy_report_counts() -> None:
    told = refused()
    row = PolicyResult(
        rule="network.x", severity="high", state="fail", enforcement="advisory", subject="a", kind="network"
    )
    results = RunResults(steps=[step()], judgement=Judgement([row], told))
    report = build_report(FACTS, loaded(), results, None)
    counts = policy_counts(report)
    assert (counts.rules, counts.subjects) == (len(told.rules), len(told.subjects))
    assert counts.states == {state: count for state, count in told.counts.items() if count}
    assert sum(counts.states.values()) == counts.pairs == counts.rules * counts.subjects
    text = " ".join(summary(report, "report.html").split())
    assert f"{counts.rules} rules × {counts.subjects} subjects: {told.counts['pass']} pass" in text
    assert f"{counts.pairs} pairs = {told.counts['pass']} pass + {told.counts['fail']} fail" in to_markdown(
        report
    )
    assert policy_counts(from_json(to_json(report))) == counts


def test_what_was_done_outranks_what_was_planned() -> None:
    results = RunResults(preview=Preview([CHANGE, CHANGE], 1, ()), provisioned=Provisioned([CHANGE], 2))
    report = build_report(FACTS, loaded(), results, None)
    assert (len(report.changes), report.unchanged) == (1, 2)


def test_a_plan_that_was_refused_changed_nothing() -> None:
    results = RunResults(preview=Preview([CHANGE], 1, ()))
    assert build_report(FACTS, loaded(), results, FindingsError("x", "m")).changes == ()
    planned = build_report(replace(FACTS, verb="plan"), loaded(), results, None)
    assert (list(planned.planned), planned.changes) == ([CHANGE], ())


def test_a_command_for_people_survives_a_path_with_a_space() -> None:
    results = RunResults(outputs=outputs(), readiness=[Readiness("web-1", 180.0, "ssh", "not ready")])
    report = build_report(replace(FACTS, fleet_file="my fleets/demo.yaml"), loaded(), results, None)
    assert report.findings[0].fix == "steward configure --fleet 'my fleets/demo.yaml' --host web-1"


def test_a_host_that_never_came_is_a_finding_with_the_command_that_repeats_it() -> None:
    results = RunResults(outputs=outputs(), readiness=[Readiness("web-1", 180.0, "ssh", "not ready")])
    report = build_report(FACTS, loaded(), results, None)
    assert report.exit_code == 3
    assert report.findings[0].fix == "steward configure --fleet fleets/demo.yaml --host web-1"


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.PASS, 0), (Verdict.FAIL, 1), (Verdict.UNKNOWN, 1)])
def test_checks_decide_too(verdict: Verdict, code: int) -> None:
    results = RunResults(checks=[Check(server="web-1", check="c", title="t", verdict=verdict)])
    report = build_report(FACTS, loaded(), results, None)
    assert report.exit_code == code
    assert bool(report.findings) == (verdict is not Verdict.PASS)


def test_a_failed_host_is_a_failed_tool() -> None:
    failed = Host(name="web-1", ok=1, changed=0, failed=1, unreachable=False, failed_task="t")
    report = build_report(FACTS, loaded(), RunResults(play=PlayResult([failed])), None)
    assert report.exit_code == 3


def test_servers_are_described_by_fleet_and_outputs() -> None:
    made = outputs(server("web-1", published={"80": 41000, "443": 41001}), server("gone-1"))
    (row,) = build_report(FACTS, loaded(), RunResults(outputs=made), None).servers
    assert (row.ssh, row.cpus, row.memory_gib, row.roles) == ("127.0.0.1:40022", 1, 1, ["nginx"])
    assert row.urls == ["http://127.0.0.1:41000/"]


def test_a_fleet_file_is_named_as_a_person_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = Path("/srv/steward")
    assert fleet_label(tmp_path / "demo.yaml", project) == "demo.yaml"
    assert fleet_label(project / "fleets" / "demo.yaml", project) == "fleets/demo.yaml"
    assert fleet_label(Path("/elsewhere/demo.yaml"), project) == "/elsewhere/demo.yaml"
