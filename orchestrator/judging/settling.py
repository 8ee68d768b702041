"""Pairs that a plan left to be judged later: each is settled by what came after, or fails. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from orchestrator.reporting.model import PolicyResult
from orchestrator.reporting.policy.model import LETTERS as STATES
from orchestrator.reporting.policy.model import Deferred
from policies.assessment import LETTERS, WORST, Assessment
from policies.model import CheckResult, Enforcement, State

_OPEN: Final = (State.UNKNOWN, State.NOT_RUN)
_GONE: Final = "not_applicable"
"""The state of a pair whose subject is not there any more."""


def deferred(rows: Iterable[PolicyResult], at: datetime) -> list[Deferred]:
    """The pairs that the engine's pack put off until values are known; one that waits for two is one."""
    found: dict[tuple[str, str], Deferred] = {}
    for row in rows:
        if row.state == "unknown" and row.enforcement == "deferred":
            each = Deferred(rule=row.rule, subject=row.urn, path=row.path, planned_at=at)
            found.setdefault((row.rule, row.urn), each)
    return list(found.values())


def settled(assessment: Assessment, pairs: Sequence[Deferred]) -> Assessment:
    """The assessment, where a pair that was put off and is not known even now is a failure that stops."""
    waiting = {(each.rule, each.subject): each for each in pairs if not each.settled_state}
    if not waiting:
        return assessment
    results = [_settled(each, waiting.get((each.rule, each.subject.urn))) for each in assessment.results]
    states: dict[tuple[str, str], list[State]] = {}
    for result in results:
        states.setdefault((result.rule, result.subject.urn), []).append(result.state)
    places = {subject.urn: place for place, subject in enumerate(assessment.subjects)}
    rows = {rule: list(row) for rule, row in assessment.matrix.items()}
    for rule, urn in waiting:
        if rule in rows and urn in places and (found := states.get((rule, urn))):
            rows[rule][places[urn]] = LETTERS[min(found, key=WORST.index)]
    matrix = {rule: "".join(row) for rule, row in rows.items()}
    return replace(assessment, matrix=matrix, results=tuple(results))


def _settled(result: CheckResult, pair: Deferred | None) -> CheckResult:
    if pair is None or result.state not in _OPEN:
        return result
    when = f"{pair.planned_at:%Y-%m-%d %H:%M:%S} UTC"
    return result._replace(
        state=State.FAIL,
        enforcement=Enforcement.MANDATORY,
        observed="unknown",
        expected="known once it is made",
        path=result.path or pair.path,
        message=f"it was not known at the plan of {when}, was let through, and is not known now: "
        f"{result.message}",
    )


def shown(
    pairs: Sequence[Deferred], matrix: Mapping[str, str], subjects: Sequence[str], at: datetime
) -> list[Deferred]:
    """Each pair with the state that this judgement settles it in; `subjects` are ids in the matrix' order."""
    places = {urn: place for place, urn in enumerate(subjects)}
    return [each if each.settled_state else _shown(each, matrix, places, at) for each in pairs]


def _shown(each: Deferred, matrix: Mapping[str, str], places: Mapping[str, int], at: datetime) -> Deferred:
    row, place = matrix.get(each.rule, ""), places.get(each.subject)
    state = STATES[row[place]] if place is not None and place < len(row) else _GONE
    return each.model_copy(update={"settled_state": state, "settled_at": at})
