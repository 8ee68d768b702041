"""The order of drift on faked ports: one look each, and no state counts as another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

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


OTHER = ITEM.model_copy(update={"name": "/etc/other", "also": ("file /etc/follower",)})
USER, ROLE = (ITEM.model_copy(update={"kind": kind, "name": "mallory"}) for kind in ("user", "role"))


def accept_items(bench: Bench, *items: str, hosts: tuple[str, ...] = ("web-1",)) -> StewardError | None:
    return bench.execute(partial(drift_steps, accept=True, items=items), "demo.yaml", hosts)


def several(bench: Bench, *items: DriftItem) -> None:
    bench.drifts.subjects = {"web-1": drifted("web-1").model_copy(update={"items": items})}


@pytest.mark.parametrize("text", ["file /etc/x", "/etc/x"])
def test_one_item_is_accepted_and_the_others_stay_drift(bench: Bench, text: str) -> None:
    several(bench, ITEM, OTHER)
    assert accept_items(bench, text) is None
    assert bench.steps == ["outputs", "look", "verify", "accept", "resources", "hosts"]
    (host,) = bench.results.drift
    assert [item.name for item in host.items] == ["/etc/other"]
    assert code(bench) == 1
    step = next(each for each in bench.results.steps if each.name == "accept")
    assert step.message == "web-1: file /etc/x"


def test_the_last_item_leaves_the_host_clean(bench: Bench) -> None:
    several(bench, ITEM, OTHER)
    assert accept_items(bench, "/etc/x", "/etc/other") is None
    assert code(bench) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "/etc/oter",
            "nothing that drifted on these hosts is named '/etc/oter'; known: file /etc/other, file /etc/x, ",
        ),
        ("/etc/oter", "Did you mean 'file /etc/other'?"),
        ("mallory", "'mallory' is said of several: role mallory, user mallory; say which"),
        ("file /etc/follower", "'file /etc/follower' follows from file /etc/other and is accepted with it"),
        ("file /etc/y\x1b", "is named 'file /etc/y\\x1b'"),
    ],
)
def test_a_name_that_says_nothing_or_too_much_is_refused_before_anything_is_checked(
    bench: Bench, text: str, told: str
) -> None:
    several(bench, ITEM, OTHER, USER, ROLE)
    problem = accept_items(bench, "/etc/x", text)
    assert isinstance(problem, InputError)
    assert told in str(problem)
    assert bench.steps == ["outputs", "look"]


def test_on_clean_hosts_there_is_nothing_to_name(bench: Bench) -> None:
    assert "all is clean" in str(accept_items(bench, "/etc/x"))


def test_of_several_hosts_those_that_have_it_are_accepted_and_checked(bench: Bench) -> None:
    several(bench, ITEM, OTHER)
    on_db = ITEM.model_copy(update={"name": "/etc/db", "server": "db-1"})
    bench.drifts.subjects["db-1"] = DriftSubject(kind="host", name="db-1", state="drifted", items=[on_db])
    bench.verifier.failing = ["db-1 postgresql.running"]
    assert accept_items(bench, "/etc/x", hosts=("web-1", "db-1")) is None
    assert {each.server for each in bench.results.checks} == {"web-1"}
    assert isinstance(accept_items(bench, "/etc/db", hosts=("web-1", "db-1")), FindingsError)


def test_no_item_of_a_host_on_which_a_check_fails_is_accepted(bench: Bench) -> None:
    several(bench, ITEM, OTHER)
    bench.verifier.failing = ["web-1 nginx.running"]
    assert "nothing was accepted" in str(accept_items(bench, "/etc/x"))
    assert len(bench.drifts.subjects["web-1"].items) == 2


def test_a_stopped_unit_refuses_itself_and_not_what_is_beside_it(bench: Bench) -> None:
    stopped = ITEM.model_copy(
        update={"kind": "unit", "name": "cron.service", "expected": "active, enabled", "observed": "inactive"}
    )
    several(bench, ITEM, stopped)
    assert "cron.service is inactive" in str(accept_items(bench, "cron.service"))
    assert accept_items(bench, "/etc/x") is None


def test_where_nothing_is_known_of_a_host_no_item_is_accepted(bench: Bench) -> None:
    bench.drifts.subjects = {"web-1": DriftSubject(kind="host", name="web-1", state="unknown", reason="deaf")}
    assert "web-1: not known how it is: deaf" in str(accept_items(bench, "/etc/x"))
    assert bench.steps == ["outputs", "look"]


def test_what_changed_again_meanwhile_is_told_as_not_accepted(bench: Bench) -> None:
    several(bench, ITEM, OTHER)
    steps = drift_steps(bench.adapters, bench.results, "demo.yaml", ["web-1"], accept=True, items=["/etc/x"])
    changed = partial(several, bench, ITEM.model_copy(update={"observed": "c"}), OTHER)
    with pytest.raises(FindingsError, match=r"not accepted: web-1: file /etc/x\. Look again: steward drift"):
        drive(steps, accept=changed)


def drive(steps: Steps, **before: Callable[[], None]) -> list[Step]:
    """Run steps without a runner, for what a positional call cannot say; `before` happens before some."""
    done: list[Step] = []
    answer = None
    try:
        while True:
            step = steps.send(answer)
            before.get(step.name, lambda: None)()
            answer = step.act()
            done.append(step)
    except StopIteration:
        return done
