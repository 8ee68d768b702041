"""Pairs that a plan put off are settled by what came after, or fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.judging.settling import deferred, settled, shown
from orchestrator.reporting.model import PolicyResult
from orchestrator.reporting.policy.model import Deferred
from policies.assessment import LETTERS, Assessment
from policies.facts import Facts
from policies.model import CheckResult, Enforcement, Kind, Severity, State, Subject
from policies.rules import all_rules
from tests.fakes import NOON

RULE = next(rule for rule in all_rules() if rule.id == "network.ssh-not-public")
PAIR = Deferred(rule=RULE.id, subject="urn:web", path="ingress", planned_at=NOON)
SUBJECT = Subject(Kind.RESOURCE, "firewall", "web", "urn:web", "acme-demo", Facts({}))


def row(state: str, enforcement: str, urn: str = "urn:web") -> PolicyResult:
    return PolicyResult(
        rule=RULE.id, severity="high", state=state, enforcement=enforcement, subject="web", kind="firewall",
        urn=urn, profile="demo", path="ingress",
    )  # fmt: skip


def found(*states: State, enforcement: Enforcement = Enforcement.ADVISORY) -> Assessment:
    results = tuple(
        CheckResult(RULE.id, Severity.HIGH, state, enforcement, SUBJECT, "demo", path="x", message="why")
        for state in states
    )
    letter = LETTERS[states[0]] if states else LETTERS[State.PASS]
    return Assessment((RULE,), (SUBJECT,), ("demo",), {RULE.id: letter}, results)


def test_only_what_waits_is_put_off_and_each_pair_once() -> None:
    rows = [
        row("unknown", "deferred"),
        row("unknown", "deferred"),
        row("unknown", "mandatory", "urn:b"),
        row("fail", "deferred", "urn:c"),
    ]
    assert deferred(rows, NOON) == [PAIR]


@pytest.mark.parametrize("state", [State.UNKNOWN, State.NOT_RUN])
def test_what_is_not_known_even_now_is_a_failure_that_stops_and_says_since_when(state: State) -> None:
    after = settled(found(state), [PAIR])
    (result,) = after.results
    assert (result.state, result.enforcement, result.blocks) == (State.FAIL, Enforcement.MANDATORY, True)
    assert f"{NOON:%Y-%m-%d %H:%M}" in result.message
    assert "is not known now: why" in result.message
    assert after.matrix[RULE.id] == LETTERS[State.FAIL]


@pytest.mark.parametrize("state", [State.FAIL, State.WAIVED, State.ERROR])
def test_what_was_judged_stays_as_it_was_judged(state: State) -> None:
    assert settled(found(state), [PAIR]) == found(state)


def test_nothing_is_said_of_other_pairs_and_of_those_settled_before() -> None:
    other = PAIR.model_copy(update={"subject": "urn:other"})
    over = PAIR.model_copy(update={"settled_state": "pass", "settled_at": NOON})
    assert settled(found(State.UNKNOWN), [other, over]) == found(State.UNKNOWN)


def test_each_pair_is_shown_with_what_settled_it_and_when() -> None:
    later = NOON + timedelta(hours=1)
    gone = PAIR.model_copy(update={"subject": "urn:gone"})
    over = PAIR.model_copy(update={"subject": "urn:db", "settled_state": "fail", "settled_at": NOON})
    told = shown([PAIR, gone, over], {RULE.id: "p"}, ["urn:web"], later)
    assert [each.settled_state for each in told] == ["pass", "not_applicable", "fail"]
    assert [each.settled_at for each in told] == [later, later, NOON]


def test_one_of_two_answers_of_a_pair_is_enough_to_fail_it() -> None:
    both = replace(found(State.UNKNOWN, State.NOT_APPLICABLE), matrix={RULE.id: LETTERS[State.UNKNOWN]})
    assert settled(both, [PAIR]).matrix[RULE.id] == LETTERS[State.FAIL]
