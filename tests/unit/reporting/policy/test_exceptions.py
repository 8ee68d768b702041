"""Waivers and baseline as the report tells of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from orchestrator.reporting.policy.exceptions import reported_baseline, reported_waivers
from orchestrator.reporting.policy.words import waiver_pairs
from policies.baseline import taken
from policies.governed import Seen, judge
from policies.reference import load_reference
from policies.signers import NO_SIGNATURE, Standing, Verdict
from tests.policies.references import RULE, network, waiver

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
GOOD = Verdict(Standing.GOOD, "bob@acme.example", "SHA256:bob")


@pytest.mark.parametrize(
    ("other", "verdict", "state", "problem", "pairs", "left"),
    [
        ({}, GOOD, "active", "", (1, 1), 0),
        ({"expires": date(2026, 12, 9)}, GOOD, "active", "", (1, 1), 10),
        ({"subject": "*"}, GOOD, "active", "", (2, 1), 0),
        ({"expires": date(2026, 11, 28)}, GOOD, "expired", "ended 1 day ago", (1, 0), 0),
        (
            {"created": date(2026, 12, 1), "expires": date(2026, 12, 2)},
            GOOD,
            "refused",
            "not in force yet",
            (1, 0),
            3,
        ),
        ({}, NO_SIGNATURE, "refused", "there is no signature", (1, 0), 0),
        (
            {"expires": date(2026, 11, 28)},
            NO_SIGNATURE,
            "refused",
            "ended 1 day ago; there is no",
            (1, 0),
            0,
        ),
        ({"subject": "*::gone"}, GOOD, "unused", "nothing here matches *::gone", (0, 0), 0),
        ({"subject": network("fine").urn}, GOOD, "unused", "what it is for passes", (1, 0), 0),
        (
            {"rule": "network.ssh-not-public"},
            GOOD,
            "unused",
            "its rule does not apply to what it matches",
            (1, 0),
            0,
        ),
    ],
)
def test_a_waiver_is_told_with_its_state_and_why(
    other: dict[str, Any], verdict: Verdict, state: str, problem: str, pairs: tuple[int, int], left: int
) -> None:
    reference = replace(load_reference(None), waivers=(waiver(**other),))
    subjects = [network(), network("fine", "10.0.0.0/24")]
    found = judge(subjects, reference, Seen(NOW, waivers={"W-1": verdict}))
    (told,) = reported_waivers(found, reference, NOW)
    assert (told.state, told.matched, told.excused, told.days_left) == (state, *pairs, left)
    assert problem in told.problem
    assert bool(told.problem) is (state != "active")
    assert (told.id, told.owner, told.ticket) == ("W-1", "ann@acme.example", "OPS-17")


@pytest.mark.parametrize("rule", ["no.such-rule", "storage.data-is-protected"])
def test_a_waiver_that_no_rule_may_have_is_not_told_that_something_passes(rule: str) -> None:
    plain = load_reference(None)
    rules = tuple(replace(each, waivable=False) if each.id == rule else each for each in plain.pack.rules)
    made = (waiver(rule=rule, subject="*"),)
    reference = replace(plain, pack=replace(plain.pack, rules=rules), waivers=made)
    found = judge([network()], reference, Seen(NOW, waivers={"W-1": GOOD}))
    (told,) = reported_waivers(found, reference, NOW)
    assert told.state == "refused"
    assert "passes" not in told.problem
    assert (told.matched, told.excused) == (1, 0)


def test_a_wide_pattern_has_one_figure_in_its_row_and_in_the_rule_about_it() -> None:
    subjects = [network(), *(network(f"fine-{n}", "10.0.0.0/24") for n in range(30))]
    reference = replace(load_reference(None), waivers=(waiver(subject="*"),))
    found = judge(subjects, reference, Seen(NOW, waivers={"W-1": GOOD}))
    (told,) = reported_waivers(found, reference, NOW)
    assert (told.matched, told.excused) == (31, 1)
    assert waiver_pairs(told) == "matches 31 pairs, excuses 1"
    (narrow,) = [each for each in found.results if each.rule == "governance.waiver-is-narrow"]
    assert "matches 31 subjects" in narrow.message


def test_a_baseline_is_told_with_what_can_be_taken_out() -> None:
    plain = load_reference(None)
    held = taken(judge([network(), network("b")], plain, Seen(NOW)))
    reference = replace(plain, baseline=held)
    told = reported_baseline(judge([network(), network("b", "9.9.9.0/24")], reference, Seen(NOW)), reference)
    assert told.entries == len(held.entries)
    assert (RULE, network("b").urn, "it fails with another value now") in {
        (each.rule, each.subject, each.why) for each in told.lapsed
    }
    assert told.matched + len(told.lapsed) == told.entries
