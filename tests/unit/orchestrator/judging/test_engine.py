"""What the engine's pack said of planned resources, as an assessment."""

from __future__ import annotations

from orchestrator.judging.engine import engine_assessment
from orchestrator.reporting.model import PolicyResult
from policies.model import State, Subject
from policies.pack import rule_by_id
from policies.profiles import load_profiles
from policies.subjects.resources import resource_subject

URN = "urn:pulumi:acme-demo::steward::local:index:Network::"
RULES = (rule_by_id("network.private-range"), rule_by_id("backups.data-is-covered"))


def network(name: str) -> Subject:
    return resource_subject("local:index:Network", f"{URN}{name}", name, {"name": name}, is_component=False)


def said(name: str, state: str) -> PolicyResult:
    return PolicyResult.model_validate({
        "rule": RULES[0].id, "severity": "high", "state": state, "enforcement": "mandatory",
        "subject": name, "kind": "resource", "urn": f"{URN}{name}", "profile": "standard",
        "observed": "8.8.8.0/24",
    })  # fmt: skip


def test_what_an_early_end_left_out_is_not_run() -> None:
    found = engine_assessment([said("a", "pass")], [network("a"), network("b")], RULES[:1], load_profiles())

    assert found.matrix == {RULES[0].id: "px"}
    assert [(each.subject.name, each.state) for each in found.results] == [("b", State.NOT_RUN)]


def test_the_worst_word_of_a_pair_counts_and_all_are_told() -> None:
    found = engine_assessment(
        [said("a", "unknown"), said("a", "fail")], [network("a")], RULES[:1], load_profiles()
    )

    assert found.matrix == {RULES[0].id: "f"}
    assert [each.state for each in found.results] == [State.UNKNOWN, State.FAIL]


def test_rules_about_other_types_are_not_applicable() -> None:
    found = engine_assessment([said("a", "pass")], [network("a")], RULES[1:], load_profiles())

    assert found.matrix == {RULES[1].id: "n"}
    assert found.results == ()
