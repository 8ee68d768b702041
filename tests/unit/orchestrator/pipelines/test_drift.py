"""The order of drift on faked ports: one look each, and no state counts as another."""

from __future__ import annotations

from functools import partial

from orchestrator.errors import FindingsError, InputError, StewardError, ToolError
from orchestrator.phases.report import build_report
from orchestrator.pipelines.drift import drift_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.reporting.drift import DriftItem, DriftSubject
from tests.unit.orchestrator.bench import Bench
from tests.unit.orchestrator.phases.test_report import FACTS
from tests.unit.orchestrator.samples import loaded, outputs, server

ITEM = DriftItem(kind="file", name="/etc/x", how="change", expected="a", observed="b", server="web-1")


def drifted(name: str) -> DriftSubject:
    return DriftSubject(kind="host", name=name, state="drifted", items=[ITEM])


def code(bench: Bench) -> int:
    return build_report(FACTS, loaded(), bench.results, None).exit_code


def test_a_clean_fleet_ends_in_0_and_asks_nothing_to_change(bench: Bench) -> None:
    assert bench.execute(drift_steps, "demo.yaml") is None
    assert bench.steps == ["outputs", "resources", "hosts"]
    assert {each.state for each in bench.results.drift} == {"clean"}
    assert {step.effect for step in bench.results.steps} == {"read"}
    assert (bench.provisioner.asked, code(bench)) == (["outputs"], 0)


def test_drift_and_unknown_end_in_1(bench: Bench) -> None:
    bench.drifts.subjects = {"web-1": drifted("web-1")}
    assert bench.execute(drift_steps, "demo.yaml") is None
    assert code(bench) == 1
    bench.drifts.subjects = {"web-1": DriftSubject(kind="host", name="web-1", state="unknown", reason="deaf")}
    assert bench.execute(drift_steps, "demo.yaml") is None
    assert code(bench) == 1


def test_a_provider_that_cannot_be_asked_is_unknown(bench: Bench) -> None:
    bench.drifts.resources = ToolError("acme-demo", "podman is missing")
    assert bench.execute(drift_steps, "demo.yaml") is None
    unknown = [each for each in bench.results.drift if each.state == "unknown"]
    assert [(each.kind, each.reason) for each in unknown] == [("resource", "podman is missing")]


def test_a_server_that_is_not_there_yet_is_unknown(bench: Bench) -> None:
    bench.provisioner.made = outputs().model_copy(update={"servers": [server("web-1"), server("db-1")]})
    assert bench.execute(drift_steps, "demo.yaml") is None
    assert {each.name: each.state for each in bench.results.drift}["web-2"] == "unknown"


def test_only_the_named_hosts_and_what_is_theirs(bench: Bench) -> None:
    bench.drifts.resources = [
        DriftSubject(kind="resource", name=f"server {name}", state="clean", server=name)
        for name in ("web-1", "web-2")
    ]
    assert bench.execute(drift_steps, "demo.yaml", ["web-2"]) is None
    assert [each.name for each in bench.results.drift] == ["web-2", "server web-2"]
    assert isinstance(bench.execute(drift_steps, "demo.yaml", ["nobody"]), InputError)


def test_accepting_takes_the_named_hosts_as_they_are(bench: Bench) -> None:
    bench.drifts.subjects = {"web-1": drifted("web-1"), "db-1": drifted("db-1")}
    steps = drift_steps(bench.adapters, bench.results, "demo.yaml", ["web-1"], accept=True)
    assert [step.name for step in drive(steps)] == [
        "outputs",
        "look",
        "verify",
        "accept",
        "resources",
        "hosts",
    ]
    assert [(each.name, each.state) for each in bench.results.drift] == [("web-1", "clean")]
    assert list(bench.drifts.subjects) == ["db-1"]


def accept(bench: Bench, *names: str) -> StewardError | None:
    return bench.execute(partial(drift_steps, accept=True), "demo.yaml", names)


def test_a_host_on_which_a_check_fails_is_not_accepted_and_nothing_is(bench: Bench) -> None:
    bench.drifts.subjects = {"web-1": drifted("web-1"), "db-1": drifted("db-1")}
    bench.verifier.failing = ["web-1 nginx.running"]
    problem = accept(bench, "web-1", "db-1")
    assert isinstance(problem, FindingsError)
    assert "web-1: nginx" in str(problem)
    assert "nothing was accepted" in str(problem)
    assert "steward up --fleet demo.yaml" in str(problem)
    assert sorted(bench.drifts.subjects) == ["db-1", "web-1"]
    assert "accept" not in bench.steps
    assert {each.state for each in bench.results.drift} == {"drifted"}
    assert {step.effect for step in bench.results.steps} == {"read"}


def test_a_service_that_should_run_is_not_accepted_as_stopped(bench: Bench) -> None:
    stopped = DriftItem(
        kind="unit",
        name="cron.service",
        how="change",
        expected="active, enabled",
        observed="inactive, enabled",
        server="web-1",
    )
    bench.drifts.subjects = {
        "web-1": DriftSubject(kind="host", name="web-1", state="drifted", items=[stopped])
    }
    assert "web-1: cron.service is inactive, enabled" in str(accept(bench, "web-1"))
    assert "web-1" in bench.drifts.subjects


def test_a_host_of_which_nothing_is_known_is_not_accepted(bench: Bench) -> None:
    bench.drifts.subjects = {"web-1": DriftSubject(kind="host", name="web-1", state="unknown", reason="deaf")}
    assert "web-1: not known how it is: deaf" in str(accept(bench, "web-1"))


def drive(steps: Steps) -> list[Step]:
    """Run steps without a runner, for what a positional call cannot say."""
    done: list[Step] = []
    answer = None
    try:
        while True:
            step = steps.send(answer)
            answer = step.act()
            done.append(step)
    except StopIteration:
        return done
