"""Exceptions applied to a judgement, and judged themselves: one function for every place where rules act."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from policies.assessment import LETTERS, WORST, Assessment, joined
from policies.baseline import Baseline, excused
from policies.evaluate import assess
from policies.facts import Unknown
from policies.model import CheckResult, Phase, Rule, State, Subject
from policies.reference import Reference
from policies.sharing import ALONE, Sharing
from policies.signers import NO_SIGNATURE, Verdict
from policies.subjects.governance import baseline_subject, reference_subject, waiver_subject
from policies.waivers import Waiver, matched
from policies.weakening import Weakening, stricter, weakenings

ROOM: Final = "governance."
IN_FORCE: Final = tuple(
    f"governance.waiver-{each}"
    for each in (
        *("not-expired", "is-signed", "approved-by-another", "age-within-severity"),
        *("names-a-rule", "is-allowed"),
    )
)
"""A waiver excuses something only when each of these passes; one that is disabled or unknown does not."""
_HOLDS: Final = (LETTERS[State.PASS], LETTERS[State.NOT_APPLICABLE])
_OPEN: Final = tuple(LETTERS[state] for state in (State.UNKNOWN, State.ERROR, State.NOT_RUN))


@dataclass(frozen=True)
class Seen:
    """What the policy itself does not know: the time, what signatures are worth, what was recorded."""

    now: datetime
    clock_suspect: bool = False
    """Time stands before what was recorded last: dates then count as over."""
    waivers: Mapping[str, Verdict] = field(default_factory=dict)
    """Id of a waiver -> its signature, checked against the reference that holds it."""
    proposal: Verdict = NO_SIGNATURE
    """The signature over a new reference, checked against the signers of the one that holds."""
    earlier_baseline: Baseline | Unknown | None = None
    """Of the reference's previous version, or of the last recorded run; unknown where it cannot be read."""


def judge(
    subjects: Sequence[Subject],
    reference: Reference,
    seen: Seen,
    *,
    phase: Phase | None = None,
    only: Collection[str] | None = None,
    sharing: Sharing = ALONE,
) -> Assessment:
    """The subjects by the rules of a reference, with its exceptions applied and themselves judged.

    `only`: ids of the subjects to judge, all when None. `sharing`: among processes.
    """
    pack = reference.pack
    found = assess(subjects, pack.profiles, rules=pack.rules, phase=phase, only=only, sharing=sharing)
    return govern(found, reference, seen, phase=phase)


def judge_change(
    subjects: Sequence[Subject],
    old: Reference,
    new: Reference,
    seen: Seen,
    new_waivers: Mapping[str, Verdict],
    *,
    phase: Phase | None = None,
    only: Collection[str] | None = None,
    sharing: Sharing = ALONE,
) -> Assessment:
    """The subjects by both references, the stricter of each pair, and each weakening as a finding."""
    rules, profiles = rules_of_change(old, new), new.pack.profiles
    after = assess(subjects, profiles, rules=rules, phase=phase, only=only, sharing=sharing)
    return stricter(
        judge(subjects, old, seen, phase=phase, only=only, sharing=sharing),
        govern_proposal(after, old, new, seen, new_waivers, phase=phase),
    )


def rules_of_change(old: Reference, new: Reference) -> tuple[Rule, ...]:
    """The rules of a proposal. Its own that were read as data judge nothing yet: the old functions do."""
    runnable = tuple(rule for rule in new.pack.rules if rule.can_judge)
    here = {rule.id for rule in runnable}
    return (*runnable, *(rule for rule in old.pack.rules if rule.id not in here))


def govern_proposal(
    after: Assessment,
    old: Reference,
    new: Reference,
    seen: Seen,
    new_waivers: Mapping[str, Verdict],
    *,
    phase: Phase | None = None,
) -> Assessment:
    """The assessment by a proposal with its own exceptions, and each of its weakenings as a finding."""
    later = replace(seen, waivers=new_waivers, earlier_baseline=old.baseline)
    return govern(after, new, later, weakened=weakenings(old, new), phase=phase)


def govern(
    assessment: Assessment,
    reference: Reference,
    seen: Seen,
    *,
    weakened: Sequence[Weakening] = (),
    phase: Phase | None = None,
) -> Assessment:
    """The assessment with waivers and baseline applied; these and the reference are among its subjects."""
    rules = {rule.id: rule for rule in reference.pack.rules}
    places = matched(reference.waivers, assessment.subjects)
    exceptions = [
        _waiver(
            each,
            reference,
            seen,
            _count(rules.get(each.rule), len(places[each.id]), assessment),
            _excuses(each, places[each.id], assessment),
            _letters(each, places[each.id], assessment).count(LETTERS[State.PASS]),
        )
        for each in reference.waivers
    ]
    exceptions += [
        baseline_subject(reference.baseline, seen.earlier_baseline, rules, reference.name),
        reference_subject(
            reference.name, reference.signers, [each.as_facts() for each in weakened], seen.proposal
        ),
    ]
    all_rules = _with_governance(assessment, rules)
    judged = assess(exceptions, reference.pack.profiles, rules=all_rules, phase=phase)
    return joined(_excuse(assessment, _holding(reference, judged), reference, rules), judged)


def excuse(
    results: Sequence[CheckResult], holding: Sequence[Waiver], baseline: Baseline, rules: Mapping[str, Rule]
) -> list[CheckResult]:
    """The results, where failures that a waiver in force or the baseline covers stop nothing."""
    by_rule: dict[str, list[Waiver]] = {}
    for waiver in holding:
        by_rule.setdefault(waiver.rule, []).append(waiver)
    waived = []
    for result in results:
        may = by_rule.get(result.rule, ()) if result.state is State.FAIL else ()
        by = next((each for each in may if each.matches(result.subject.urn)), None)
        waived.append(result._replace(state=State.WAIVED, waiver=by.id) if by else result)
    return excused(waived, baseline, frozenset(rule.id for rule in rules.values() if rule.waivable))


def _with_governance(assessment: Assessment, rules: Mapping[str, Rule]) -> tuple[Rule, ...]:
    """The rules of the assessment, and those about the policy where it had none: they are always judged."""
    here = {rule.id for rule in assessment.rules}
    own = (rule for rule in rules.values() if rule.id.startswith(ROOM) and rule.id not in here)
    return (*assessment.rules, *own)


def in_force(reference: Reference, seen: Seen) -> tuple[Waiver, ...]:
    """The waivers that hold, whatever is there: for a judge that sees one resource at a time."""
    nobody = Unknown("only one resource is judged at a time")
    subjects = [_waiver(waiver, reference, seen, nobody, nobody, nobody) for waiver in reference.waivers]
    rules = [rule for rule in reference.pack.rules if rule.id in IN_FORCE]
    return _holding(reference, assess(subjects, reference.pack.profiles, rules=rules))


def _holding(reference: Reference, judged: Assessment) -> tuple[Waiver, ...]:
    """Those whose subjects, the first ones judged, pass all that a waiver needs to hold."""
    return tuple(
        waiver
        for place, waiver in enumerate(reference.waivers)
        if all(judged.matrix[rule][place] in _HOLDS for rule in IN_FORCE)
    )


def _waiver(
    waiver: Waiver,
    reference: Reference,
    seen: Seen,
    count: int | Unknown,
    excuses: int | Unknown,
    passes: int | Unknown,
) -> Subject:
    return waiver_subject(
        waiver,
        next((rule for rule in reference.pack.rules if rule.id == waiver.rule), None),
        seen.waivers.get(waiver.id, NO_SIGNATURE),
        reference.signers.keys_of(waiver.owner),
        now=seen.now,
        clock_suspect=seen.clock_suspect,
        matched=count,
        excuses=excuses,
        passes=passes,
    )


def _count(rule: Rule | None, count: int, assessment: Assessment) -> int | Unknown:
    """How many subjects are meant; nobody can say where none of that kind were looked at."""
    if count or rule is None or any(subject.kind is rule.kind for subject in assessment.subjects):
        return count
    return Unknown(f"no {rule.kind.value.replace('_', ' ')} was judged here")


def _excuses(waiver: Waiver, places: Sequence[int], assessment: Assessment) -> int | Unknown:
    """How many subjects fail the rule; nobody can say while some of them could not be judged."""
    letters = _letters(waiver, places, assessment)
    failing = letters.count(LETTERS[State.FAIL])
    if not failing and any(letter in _OPEN for letter in letters):
        return Unknown("a subject of it could not be judged")
    return failing


def _letters(waiver: Waiver, places: Sequence[int], assessment: Assessment) -> list[str]:
    """What its rule said of the subjects that it means."""
    row = assessment.matrix.get(waiver.rule, "")
    return [row[place] for place in places] if row else []


def _excuse(
    assessment: Assessment, holding: Sequence[Waiver], reference: Reference, rules: Mapping[str, Rule]
) -> Assessment:
    if not (holding or reference.baseline.entries):
        return assessment
    results = excuse(assessment.results, holding, reference.baseline, rules)
    states: dict[tuple[str, str], list[State]] = {}
    touched = set()
    for before, after in zip(assessment.results, results, strict=True):
        pair = (after.rule, after.subject.urn)
        states.setdefault(pair, []).append(after.state)
        if after.state is not before.state:
            touched.add(pair)
    places: dict[str, list[int]] = {}
    for place, subject in enumerate(assessment.subjects):
        places.setdefault(subject.urn, []).append(place)
    rows = {rule: list(row) for rule, row in assessment.matrix.items()}
    for rule_id, urn in touched:
        for place in places[urn]:
            rows[rule_id][place] = LETTERS[min(states[rule_id, urn], key=WORST.index)]
    matrix = {rule: "".join(row) for rule, row in rows.items()}
    return replace(assessment, matrix=matrix, results=tuple(results))
