"""The subjects of a report; what a judgement does not change of them can be made while it is under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Final

from pydantic import TypeAdapter

from orchestrator.reporting.policy.model import ReportedSubject
from policies.assessment import Assessment
from policies.facts import Facts, MalformedFactError, Unknown, UnknownFactError
from policies.model import Kind, Subject
from policies.reach import sort_of

_SUBJECTS: Final = TypeAdapter(tuple[ReportedSubject, ...])
"""Reads all subjects at once: there are tens of thousands."""
_KINDS: Final = {kind: kind.value for kind in Kind}
_STEP: Final = Kind.STEP


@dataclass(frozen=True)
class Listed:
    """Subjects as a report lists them, of which none is left out, and the name of the profile of each."""

    subjects: Sequence[Subject]
    profiles: Sequence[str]
    rows: tuple[ReportedSubject, ...]


def listed(subjects: Sequence[Subject], profiles: Sequence[str]) -> Listed:
    """The subjects that some rules judge under these profiles, ahead of the judgement."""
    return Listed(subjects, profiles, _rows(subjects, profiles, [""] * len(subjects)))


def reported_subjects(
    assessment: Assessment, left_out: Mapping[str, str], ahead: Listed | None = None
) -> tuple[ReportedSubject, ...]:
    """All subjects of the assessment; `ahead` counts where it is of those very ones, in their order."""
    done = ahead.rows if ahead is not None and not left_out and _begins(assessment, ahead) else ()
    subjects, profiles = assessment.subjects[len(done) :], assessment.profiles[len(done) :]
    return (*done, *_rows(subjects, profiles, [left_out.get(each.urn, "") for each in subjects]))


def _begins(assessment: Assessment, ahead: Listed) -> bool:
    """Whether the assessment begins with what was listed."""
    count = len(ahead.subjects)
    return (
        count <= len(assessment.subjects)
        and all(map(is_, ahead.subjects, assessment.subjects))
        and tuple(ahead.profiles) == assessment.profiles[:count]
    )


def _rows(
    subjects: Sequence[Subject], profiles: Sequence[str], left_out: Sequence[str]
) -> tuple[ReportedSubject, ...]:
    return _SUBJECTS.validate_python(list(map(_subject, subjects, profiles, left_out)))


def _subject(subject: Subject, profile: str, left_out: str) -> dict[str, object]:
    """What the report says of a subject, without what most have nothing of."""
    told: dict[str, object] = {
        "id": subject.urn,
        "kind": _KINDS[subject.kind],
        "type": subject.type,
        "name": subject.name,
        "profile": profile,
        "source_type": subject.source_type,
        "witness": subject.witness,
    }
    values = subject.facts.raw()
    if not isinstance(values, Unknown) and ("file" in values or "line" in values):
        told |= {"file": _file(subject.facts), "line": _line(subject.facts)}
    if subject.kind is _STEP:
        sort = sort_of(subject)
        told |= {"step_type": sort.step_type or "", "operation": sort.operation or ""}
        told["sides"] = sort.sides or ()
    if left_out:
        told["left_out"] = left_out
    return told


def _file(facts: Facts) -> str:
    """Where the subject is written; most are written nowhere, and who knows it badly does not know it."""
    try:
        return facts.text_or_none("file") or ""
    except (UnknownFactError, MalformedFactError):
        return ""


def _line(facts: Facts) -> int:
    try:
        return max(0, facts.whole("line", 0))
    except (UnknownFactError, MalformedFactError):
        return 0
