"""How long failures stayed, from the policy reports of a period: one defect is one row, whoever saw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from orchestrator.evidence.documents import Read, Row, matrix, rows, text
from orchestrator.evidence.record import read_time

Key = tuple[str, str, str]
"""Rule, id of the subject, and the property at fault."""

_GOOD: Final = "pn"
_EXCUSED: Final = "wb"
_SEVERITIES: Final = ("critical", "high", "medium", "low")
_LIVE: Final = "live"
_ALWAYS_LISTED: Final = ("resource", "step", "")
"""Kinds of which a report at the same phase names every subject there is; the others take a look."""


@dataclass
class _Failure:
    rule: str
    subject: str
    path: str
    severity: str
    kind: tuple[str, str]
    since: str
    from_the_start: bool
    phases: list[str] = field(default_factory=list)
    until: str = ""
    how: str = "open"

    @property
    def was_real(self) -> bool:
        """Whether it was seen in what is there, and not only in what was planned."""
        return _LIVE in self.phases

    def row(self) -> Row:
        """As the table has it."""
        return {
            "rule": self.rule, "subject": self.subject, "path": self.path, "severity": self.severity,
            "phases": ", ".join(self.phases), "since": self.since,
            "from_the_start": "yes" if self.from_the_start else "no", "until": self.until, "how": self.how,
            "days": _days(self.since, self.until) if self.until else "",
        }  # fmt: skip


@dataclass(frozen=True)
class _Seen:
    """One report, as far as failures are followed by it."""

    at: str
    phase: str
    real: bool
    """Whether it tells what is there: it looked, or its run made what it had judged, and ended well."""
    failing: Mapping[Key, str]
    letters: Mapping[tuple[str, str], str]
    kinds: Mapping[str, tuple[str, str]]
    """Kind and type of each subject by its id."""


def time_to_fix(reports: Sequence[Read]) -> list[Row]:
    """A failure a row: since when, until when, and how it ended.

    Reports of all phases follow one failure. One that was seen in what is there ends when it is seen mended
    there; one that was only planned ends when it is planned no more.
    """
    failures = sorted(
        _followed([_seen(each) for each in reports]),
        key=lambda one: (one.since, one.rule, one.subject, one.path),
    )
    return [each.row() for each in failures]


def time_to_fix_summary(failures: Sequence[Row]) -> list[Row]:
    """A severity a row."""
    made: list[Row] = []
    for severity in _SEVERITIES:
        found = [each for each in failures if each["severity"] == severity]
        states = Counter(str(each["how"]) for each in found)
        took = [float(str(each["days"])) for each in found if each["how"] == "fixed"]
        made.append(
            {
                "severity": severity, "found": len(found), "fixed": states["fixed"],
                "excused": states["excused"], "subject_gone": states["subject gone"], "open": states["open"],
                "median_days": f"{median(took):.1f}" if took else "",
                "longest_days": f"{max(took):.1f}" if took else "",
            }
        )  # fmt: skip
    return made


def _followed(reports: Sequence[_Seen]) -> Iterator[_Failure]:
    """Failures from report to report: one ends when its pair passes, is excused, or has no subject."""
    open_ones: dict[Key, _Failure] = {}
    phases: set[str] = set()
    for report in reports:
        for key in [each for each in open_ones if each not in report.failing]:
            how = _ending(open_ones[key], report)
            if how:
                open_ones[key].until, open_ones[key].how = report.at, how
                yield open_ones.pop(key)
        for key, severity in report.failing.items():
            if key not in open_ones:
                kind, first = report.kinds.get(key[1], ("", "")), report.phase not in phases
                open_ones[key] = _Failure(*key, severity, kind, report.at, first)
            if report.phase not in open_ones[key].phases:
                open_ones[key].phases.append(report.phase)
        phases.add(report.phase)
    yield from open_ones.values()


def _ending(failure: _Failure, report: _Seen) -> str:
    """How a failure that is not told any more ended; '' while nobody knows."""
    if failure.was_real and not report.real:
        return ""
    letter = report.letters.get((failure.rule, failure.subject))
    if letter is None:
        return "subject gone" if _would_be_listed(failure, report) else ""
    if letter in _EXCUSED:
        return "excused"
    return "fixed" if letter in _GOOD or letter == "f" else ""


def _would_be_listed(failure: _Failure, report: _Seen) -> bool:
    """Whether the report would have the subject, were it there: it has others of that type, or all it can."""
    if not any(rule == failure.rule for rule, _ in report.letters):
        return False
    same_phase = failure.kind[0] in _ALWAYS_LISTED and report.phase in failure.phases
    return same_phase or failure.kind in report.kinds.values()


def _seen(report: Read) -> _Seen:
    phase, run = text(report.found, "phase"), report.line.body
    subjects = rows(report.found, "subjects")
    ids = [text(each, "id") for each in subjects]
    return _Seen(
        at=report.at,
        phase=phase,
        real=phase == _LIVE or (text(run, "verb"), text(run, "exit_code")) == ("up", "0"),
        failing=dict(_failing(report, ids)),
        letters={
            (rule, subject): letter
            for rule, letters in matrix(report).items()
            for subject, letter in zip(ids, letters, strict=False)
        },
        kinds={text(each, "id"): (text(each, "kind"), text(each, "type")) for each in subjects},
    )


def _failing(report: Read, subjects: Sequence[str]) -> Iterator[tuple[Key, str]]:
    """(rule, subject, path) -> severity of every failure."""
    severities = {text(each, "id"): text(each, "severity") for each in rows(report.found, "rules")}
    for result in rows(report.found, "results"):
        if result.get("state") != "fail":
            continue
        rule = text(result, "rule")
        severity = text(result, "severity") or severities.get(rule, "")
        for place in _places(result):
            if 0 <= place < len(subjects):
                yield (rule, subjects[place], text(result, "path")), severity


def _places(result: Mapping[str, Any]) -> list[int]:
    """The subjects of a result: one place, or several of which it says the same."""
    found = result.get("on", result.get("subject"))
    return [each for each in (found if isinstance(found, list) else [found]) if type(each) is int]


def _days(since: str, until: str) -> str:
    return f"{(read_time(until) - read_time(since)).total_seconds() / 86_400:.1f}"
