"""Results of rules as rows of a run's report."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orchestrator.reporting.model import PolicyResult
from policies.assessment import LETTERS, Assessment
from policies.model import CheckResult, Rule, State, Subject

Pair = tuple[str, str]
"""A rule's id and its subject's."""


def report_rows(
    assessment: Assessment,
    leave_out: Collection[str],
    late: Collection[Pair] = (),
    beyond: Collection[Pair] = (),
) -> list[PolicyResult]:
    """Every pair but of the subjects with these ids, and of types that the rule does not read.

    `late`: pairs that are told in any case when they failed. `beyond`: pairs that are told in any case.
    """

    def is_told(result: CheckResult) -> bool:
        pair = (result.rule, result.subject.urn)
        failed_late = result.state is State.FAIL and pair in late
        return result.subject.urn not in leave_out or failed_late or pair in beyond

    found = [_row(each) for each in assessment.results if is_told(each)]
    return [*found, *_passes(assessment, leave_out)]


def _passes(assessment: Assessment, leave_out: Collection[str]) -> Iterator[PolicyResult]:
    places = [n for n, subject in enumerate(assessment.subjects) if subject.urn not in leave_out]
    for rule in assessment.rules:
        letters = assessment.matrix[rule.id]
        for place in places:
            if letters[place] == LETTERS[State.PASS]:
                yield _pass(rule, assessment.subjects[place], assessment.profiles[place])


def _row(result: CheckResult) -> PolicyResult:
    subject = result.subject
    return PolicyResult(
        rule=result.rule,
        severity=result.severity.value,
        state=result.state.value,
        enforcement=result.enforcement.value,
        subject=subject.name,
        kind=subject.source_type or subject.type,
        urn=subject.urn,
        profile=result.profile,
        observed=result.observed,
        expected=result.expected,
        path=result.path,
        message=result.message,
        remediation=result.remediation,
    )


def _pass(rule: Rule, subject: Subject, profile: str) -> PolicyResult:
    return PolicyResult(
        rule=rule.id,
        severity=rule.severity.value,
        state="pass",
        enforcement="mandatory",
        subject=subject.name,
        kind=subject.source_type or subject.type,
        urn=subject.urn,
        profile=profile,
    )
