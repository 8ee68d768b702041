"""A judgement with its exceptions: what a waiver and a baseline excuse, and what they never do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from policies.assessment import Assessment
from policies.baseline import GONE, Baseline, absent, lapsed, shrink, taken
from policies.evaluate import assess
from policies.facts import UNKNOWN, Facts
from policies.governed import Seen, govern, in_force, judge
from policies.model import Phase, State, Subject
from policies.pack import all_rules
from policies.reference import Reference, load_reference
from policies.signers import WAIVERS, Signer, Signers, Standing, Verdict
from tests.policies.references import RULE, network, waiver

LAST_SECOND = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)
GOOD = Verdict(Standing.GOOD, "bob@acme.example", "SHA256:bob")
ANN = Signer("ann@acme.example", "SHA256:ann", frozenset({WAIVERS}), None, None, "ann")


def reference(*waivers: Any, **other: Any) -> Reference:
    return replace(load_reference(None), waivers=waivers, signers=Signers((ANN,)), **other)


def judged(
    *waivers: Any,
    subjects: tuple[Subject, ...] = (network(),),
    verdict: Verdict | None = GOOD,
    now: datetime = LAST_SECOND,
    suspect: bool = False,
    phase: Phase | None = None,
    **other: Any,
) -> Assessment:
    verdicts: Mapping[str, Verdict] = {each.id: verdict for each in waivers} if verdict else {}
    seen = Seen(now, clock_suspect=suspect, waivers=verdicts)
    return judge(subjects, reference(*waivers, **other), seen, phase=phase)


def state_of(assessment: Assessment, rule: str = RULE) -> State:
    (state,) = {
        each.state for each in assessment.results if each.rule == rule and each.state is not State.PASS
    }
    return state


def wrong(assessment: Assessment, kind: str = "waiver") -> dict[str, str]:
    """Rule -> what it says of an exception that is not in order."""
    return {
        each.rule.removeprefix("governance."): each.message
        for each in assessment.results
        if each.subject.type == kind and each.state in (State.FAIL, State.UNKNOWN, State.ERROR)
    }


def reconciles(assessment: Assessment) -> bool:
    pairs = len(assessment.rules) * len(assessment.subjects)
    return sum(assessment.counts().values()) == pairs and all(
        len(row) == len(assessment.subjects) for row in assessment.matrix.values()
    )


def test_a_waiver_in_order_excuses_its_failure_and_is_counted() -> None:
    found = judged(waiver())
    assert state_of(found) is State.WAIVED
    (result,) = [each for each in found.results if each.rule == RULE and each.subject.type == "network"]
    assert (result.waiver, result.blocks) == ("W-1", False)
    assert wrong(found) == {}
    assert found.matrix[RULE] == "wnnn", "the network, the waiver, the baseline, the reference"
    assert [each.type for each in found.subjects] == ["network", "waiver", "baseline", "policy_reference"]
    assert reconciles(found)


def test_it_holds_until_the_last_second_of_its_day_and_fails_again_in_the_next_run() -> None:
    assert state_of(judged(waiver(), now=LAST_SECOND)) is State.WAIVED
    expired = judged(waiver(), now=LAST_SECOND + timedelta(seconds=1))
    assert state_of(expired) is State.FAIL
    assert "expires: ended 1 day ago" in wrong(expired)["waiver-not-expired"]
    assert {RULE, "governance.waiver-not-expired"} <= {each.rule for each in expired.blocking()}


@pytest.mark.parametrize(
    ("other", "rule", "told"),
    [
        ({"expires": date(2026, 11, 28)}, "waiver-not-expired", "ended 1 day ago"),
        (
            {"created": date(2026, 11, 30), "expires": date(2026, 12, 1)},
            "waiver-not-expired",
            "not in force yet",
        ),
        ({"rule": "network.private-rang"}, "waiver-names-a-rule", "no rule named network.private-rang"),
        ({"created": date(2026, 1, 1)}, "waiver-age-within-severity", "lasts 332 days"),
        ({"approver": "ann@acme.example"}, "waiver-approved-by-another", "is the owner"),
        ({"approver": "eve@acme.example"}, "waiver-is-signed", "is signed by bob@acme.example"),
    ],
)
def test_a_waiver_that_is_not_in_order_excuses_nothing_and_is_a_finding(
    other: dict[str, Any], rule: str, told: str
) -> None:
    found = judged(waiver(**other))
    assert state_of(found) is State.FAIL
    assert told in wrong(found)[rule]
    assert found.blocking()
    assert reconciles(found)


@pytest.mark.parametrize("standing", [each for each in Standing if each is not Standing.GOOD])
def test_no_signature_but_a_good_one_counts(standing: Standing) -> None:
    found = judged(waiver(), verdict=Verdict(standing, "bob@acme.example", "SHA256:bob"))
    assert state_of(found) is State.FAIL
    assert standing.value in wrong(found)["waiver-is-signed"]


def test_a_waiver_that_nobody_checked_is_unsigned() -> None:
    found = judged(waiver(), verdict=None)
    assert state_of(found) is State.FAIL
    assert "there is no signature" in wrong(found)["waiver-is-signed"]


def test_the_owners_key_under_another_name_approves_nothing() -> None:
    found = judged(waiver(), verdict=Verdict(Standing.GOOD, "bob@acme.example", "SHA256:ann"))
    assert state_of(found) is State.FAIL
    assert "is a key of the owner" in wrong(found)["waiver-approved-by-another"]


def test_a_clock_set_back_makes_no_waiver_valid_again() -> None:
    earlier = datetime(2026, 11, 2, tzinfo=UTC)
    assert state_of(judged(waiver(), now=earlier)) is State.WAIVED
    found = judged(waiver(), now=earlier, suspect=True)
    assert state_of(found) is State.FAIL
    assert "the clock was set back" in wrong(found)["waiver-not-expired"]


def test_a_rule_that_cannot_be_waived_is_not() -> None:
    base = reference(waiver())
    rules = tuple(replace(rule, waivable=rule.id != RULE) for rule in base.pack.rules)
    locked = replace(base, pack=replace(base.pack, rules=rules))
    found = judge([network()], locked, Seen(LAST_SECOND, waivers={"W-1": GOOD}))
    assert state_of(found) is State.FAIL
    assert "can be waived by nobody" in wrong(found)["waiver-is-allowed"]
    held = replace(locked, waivers=(), baseline=taken(judge([network()], base, Seen(LAST_SECOND))))
    found = judge([network()], held, Seen(LAST_SECOND))
    assert state_of(found) is State.FAIL
    assert "no rule that may be excused" in wrong(found, "baseline")["baseline-keeps-to-waivable-rules"]


def test_every_rule_of_governance_can_be_waived_by_nobody() -> None:
    own = [rule for rule in all_rules() if rule.id.startswith("governance.")]
    assert len(own) == 21
    assert not any(rule.waivable for rule in own)


def test_a_waiver_for_nothing_is_a_finding_and_so_is_one_that_excuses_nothing() -> None:
    found = judged(waiver(subject="*::gone"))
    assert "nothing here matches *::gone" in wrong(found)["waiver-matches-a-subject"]
    found = judged(waiver(), subjects=(network(cidr="10.0.0.0/24"),))
    assert "excuses nothing" in wrong(found)["waiver-is-used"]


def test_where_no_subject_of_the_kind_was_looked_at_a_waiver_is_neither_used_nor_unused() -> None:
    found = judged(waiver(rule="quality.type-is-known", subject="x"), subjects=())
    states = {each.rule: (each.state, each.blocks) for each in found.results if each.subject.type == "waiver"}
    assert states["governance.waiver-matches-a-subject"] == (State.UNKNOWN, False)
    assert states["governance.waiver-is-used"] == (State.UNKNOWN, False)


def test_a_waiver_excuses_no_unknown() -> None:
    dark = replace(
        network(), facts=Facts({"cidr": UNKNOWN, "tags": dict(network().facts.table("tags")._mapping())})
    )
    found = judged(waiver(), subjects=(dark,))
    assert state_of(found) is State.UNKNOWN
    assert wrong(found).keys() == {"waiver-is-used"}, "nobody can say whether it is used"


def test_a_waiver_for_too_many_is_a_finding() -> None:
    many = tuple(network(f"n{number}") for number in range(21))
    found = judged(waiver(subject="*Network::*"), subjects=many)
    assert "matches 21 subjects" in wrong(found)["waiver-is-narrow"]


def test_two_waivers_for_one_failure_count_once() -> None:
    found = judged(waiver(), waiver(id="W-2"))
    (result,) = [each for each in found.results if each.state is State.WAIVED]
    assert result.waiver == "W-1"


def test_a_judge_of_one_resource_at_a_time_knows_which_waivers_hold() -> None:
    mine = reference(waiver(), waiver(id="W-2", expires=date(2026, 11, 2)), waiver(id="W-3"))
    seen = Seen(LAST_SECOND, waivers={"W-1": GOOD, "W-2": GOOD})
    assert [each.id for each in in_force(mine, seen)] == ["W-1"]
    assert in_force(mine, replace(seen, clock_suspect=True)) == ()


def test_what_the_baseline_holds_is_excused_until_its_value_changes() -> None:
    first = judge([network()], reference(), Seen(LAST_SECOND))
    held = taken(first)
    assert RULE in {entry.rule for entry in held.entries}
    assert state_of(judged(baseline=held)) is State.BASELINED
    changed = judged(subjects=(network(cidr="9.9.9.0/24"),), baseline=held)
    assert state_of(changed) is State.FAIL
    moved = judged(subjects=(network("other"),), baseline=held)
    assert state_of(moved) is State.FAIL, "another subject is another failure"
    (why,) = [why for entry, why in lapsed(held, changed) if entry.rule == RULE]
    assert why == "it fails with another value now"
    assert all(each.fingerprint for each in changed.results if each.state is State.FAIL and each.rule == RULE)


def test_a_waiver_comes_before_the_baseline() -> None:
    held = taken(judge([network()], reference(), Seen(LAST_SECOND)))
    assert state_of(judged(waiver(), baseline=held)) is State.WAIVED


def test_a_baseline_only_shrinks() -> None:
    before = judge([network(), network("b")], reference(), Seen(LAST_SECOND))
    held = taken(before)
    mended = judged(subjects=(network(), network("b", "10.0.0.0/24")), baseline=held)
    less = shrink(held, mended)
    gone = set(held.entries) - set(less.entries)
    assert (RULE, network("b").urn) in {(each.rule, each.subject) for each in gone}
    assert (RULE, network().urn) not in {(each.rule, each.subject) for each in gone}
    assert {each for each, _ in lapsed(held, mended)} == gone
    assert less.since(held) == ()
    assert shrink(held, before) == held


def test_a_subject_that_is_not_there_stays_in_the_baseline_and_is_told() -> None:
    held = taken(judge([network(), network("b")], reference(), Seen(LAST_SECOND)))
    part = judged(baseline=held)
    missing = {entry for entry in held.entries if entry.subject == network("b").urn}
    assert missing == set(absent(held, part)) < set(held.entries)
    assert shrink(held, part) == held, (
        "nor does one pass for mended because what it overlaps with is not there"
    )
    assert {entry for entry, why in lapsed(held, part) if why == GONE} == missing
    other_kind = assess([], load_reference(None).pack.profiles)
    assert shrink(held, other_kind) == held
    assert lapsed(held, other_kind) == (), "nobody looked"


def test_what_could_not_be_judged_stays_in_the_baseline() -> None:
    held = taken(judge([network()], reference(), Seen(LAST_SECOND)))
    dark = replace(network(), facts=Facts(UNKNOWN))
    assert RULE in {entry.rule for entry in shrink(held, judged(subjects=(dark,), baseline=held)).entries}


@pytest.mark.parametrize(("earlier", "blocks"), [(None, False), ("same", False), ("less", True)])
def test_a_baseline_that_grew_is_a_finding(earlier: str | None, blocks: bool) -> None:
    held = taken(judge([network()], reference(), Seen(LAST_SECOND)))
    known = {"same": held, "less": Baseline(held.entries[1:])}.get(earlier or "")
    found = govern(
        judge([network()], reference(), Seen(LAST_SECOND)),
        reference(baseline=held),
        Seen(LAST_SECOND, earlier_baseline=known),
    )
    told = wrong(found, "baseline")
    assert bool(told) is blocks
    if blocks:
        assert f"is new: {held.entries[0].rule} on {held.entries[0].subject}" in told["baseline-only-shrinks"]


def test_a_fingerprint_tells_rule_subject_place_and_value_apart() -> None:
    (result,) = [each for each in judged().results if each.rule == RULE]
    others = [
        result._replace(rule="network.other"), result._replace(subject=network("b")),
        result._replace(path="x"), result._replace(observed="9.9.9.0/24"),
    ]  # fmt: skip
    assert len({each.fingerprint for each in [result, *others]}) == 5
    assert result._replace(message="other words", expected="x").fingerprint == result.fingerprint


def test_without_a_reference_nothing_is_wrong_with_it() -> None:
    found = judge([], load_reference(None), Seen(LAST_SECOND))
    assert wrong(found, "baseline") == wrong(found, "policy_reference") == {}
    assert not found.blocking()
    assert reconciles(found)
