"""Waivers and baseline as the report tells of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from orchestrator.reporting.policy.exceptions import reported_baseline, reported_waivers
from policies.baseline import taken
from policies.governed import Seen, judge
from policies.reference import load_reference
from policies.signers import NO_SIGNATURE, Standing, Verdict
from tests.policies.references import RULE, network, waiver

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
GOOD = Verdict(Standing.GOOD, "bob@acme.example", "SHA256:bob")


@pytest.mark.parametrize(
    ("other", "verdict", "state", "problem", "matched", "left"),
    [
        ({}, GOOD, "active", "", 1, 0),
        ({"expires": date(2026, 12, 9)}, GOOD, "active", "", 1, 10),
        ({"expires": date(2026, 11, 28)}, GOOD, "expired", "ended 1 day ago", 0, 0),
        (
            {"created": date(2026, 12, 1), "expires": date(2026, 12, 2)},
            GOOD,
            "refused",
            "not in force yet",
            0,
            3,
        ),
        ({}, NO_SIGNATURE, "refused", "there is no signature", 0, 0),
        ({"expires": date(2026, 11, 28)}, NO_SIGNATURE, "refused", "ended 1 day ago; there is no", 0, 0),
        ({"subject": "*::gone"}, GOOD, "unused", "nothing here matches *::gone", 0, 0),
        ({"subject": network("fine").urn}, GOOD, "unused", "excuses nothing", 0, 0),
    ],
)
def test_a_waiver_is_told_with_its_state_and_why(
    other: dict[str, Any], verdict: Verdict, state: str, problem: str, matched: int, left: int
) -> None:
    reference = replace(load_reference(None), waivers=(waiver(**other),))
    subjects = [network(), network("fine", "10.0.0.0/24")]
    found = judge(subjects, reference, Seen(NOW, waivers={"W-1": verdict}))
    (told,) = reported_waivers(found, reference, NOW)
    assert (told.state, told.matched, told.days_left) == (state, matched, left)
    assert problem in told.problem
    assert bool(told.problem) is (state != "active")
    assert (told.id, told.owner, told.ticket) == ("W-1", "ann@acme.example", "OPS-17")


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
