"""Evaluations due against done, and how long failures stayed, from the policy reports of a period."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from orchestrator.evidence.documents import Read, rows, table, text
from orchestrator.evidence.period import Period
from orchestrator.evidence.record import Kind, Line, read_time

Row = Mapping[str, object]

_DONE: Final = "pfwbn"
_GOOD: Final = "pn"
_EXCUSED: Final = "wb"
_SEVERITIES: Final = ("critical", "high", "medium", "low")


def evaluations(lines: Sequence[Line], reports: Sequence[Read]) -> list[Row]:
    """A run a row: pairs of rule and subject that were due, and those that got an answer."""
    by_record: dict[int, list[Read]] = defaultdict(list)
    for report in reports:
        by_record[report.line.number].append(report)
    made: list[Row] = []
    for line in lines:
        if line.kind not in (Kind.RUN, Kind.KILLED):
            continue
        found = by_record.get(line.number, [])
        letters = Counter("".join(each for report in found for each in _matrix(report).values()))
        due = sum(_due(report) for report in found)
        done = sum(letters[each] for each in _DONE)
        note = (
            ""
            if found
            else "killed before it could judge"
            if line.kind == Kind.KILLED
            else "no policy report"
        )
        made.append(
            {
                "record": line.number, "at": line.text("ended_at"), "run": text(line.body, "run"),
                "verb": text(line.body, "verb"), "actor": line.text("actor"),
                "exit_code": text(line.body, "exit_code"), "due": due, "done": done, "failed": letters["f"],
                "unknown": letters["u"], "error": letters["e"], "not_run": letters["x"],
                "missing": due - sum(letters.values()), "note": note,
            }
        )  # fmt: skip
    return made


def evaluation_days(period: Period, until: datetime, reports: Sequence[Read]) -> list[Row]:
    """A day a row, up to `until`: one evaluation a day is due."""
    counts = Counter(report.at[:10] for report in reports)
    made: list[Row] = []
    day = period.begin
    while day < min(period.end, until):
        name = day.date().isoformat()
        made.append({"day": name, "due": 1, "done": min(1, counts[name]), "evaluations": counts[name]})
        day += timedelta(days=1)
    return made


@dataclass
class _Failure:
    rule: str
    subject: str
    path: str
    severity: str
    phase: str
    since: str
    from_the_start: bool
    until: str = ""
    how: str = "open"


def time_to_fix(reports: Sequence[Read]) -> list[Row]:
    """A failure a row: since when, until when, and how it ended; each phase is followed by itself."""
    phases: dict[str, list[Read]] = defaultdict(list)
    for report in reports:
        phases[text(report.found, "phase")].append(report)
    failures = [each for phase, found in phases.items() for each in _followed(phase, found)]
    made: list[Row] = []
    for each in sorted(failures, key=lambda one: (one.since, one.rule, one.subject, one.path)):
        days = _days(each.since, each.until) if each.until else ""
        made.append({**vars(each), "from_the_start": "yes" if each.from_the_start else "no", "days": days})
    return made


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


def _followed(phase: str, reports: Sequence[Read]) -> Iterator[_Failure]:
    """Failures from report to report: one ends when its pair passes, is excused, or has no subject."""
    open_ones: dict[tuple[str, str, str], _Failure] = {}
    for place, report in enumerate(reports):
        failing = dict(_failing(report))
        letters = _letters(report)
        for key in [each for each in open_ones if each not in failing]:
            how = _ending(letters, key)
            if how:
                open_ones[key].until, open_ones[key].how = report.at, how
                yield open_ones.pop(key)
        for key, severity in failing.items():
            if key not in open_ones:
                open_ones[key] = _Failure(*key, severity, phase, report.at, place == 0)
    yield from open_ones.values()


def _ending(letters: Mapping[tuple[str, str], str], key: tuple[str, str, str]) -> str:
    """How a failure that is not told any more ended; '' while nobody knows."""
    rule, subject, _ = key
    letter = letters.get((rule, subject))
    if letter is None:
        return "subject gone" if any(known == rule for known, _ in letters) else ""
    if letter in _EXCUSED:
        return "excused"
    return "fixed" if letter in _GOOD or letter == "f" else ""


def _failing(report: Read) -> Iterator[tuple[tuple[str, str, str], str]]:
    """(rule, subject, path) -> severity of every failure."""
    subjects = [text(each, "id") for each in rows(report.found, "subjects")]
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


def _letters(report: Read) -> dict[tuple[str, str], str]:
    subjects = [text(each, "id") for each in rows(report.found, "subjects")]
    return {
        (rule, subject): letter
        for rule, letters in _matrix(report).items()
        for subject, letter in zip(subjects, letters, strict=False)
    }


def _matrix(report: Read) -> dict[str, str]:
    found = table(report.found, "matrix")
    return {rule: letters for rule, letters in found.items() if isinstance(letters, str)}


def _due(report: Read) -> int:
    return len(rows(report.found, "rules")) * len(rows(report.found, "subjects"))


def _days(since: str, until: str) -> str:
    return f"{(read_time(until) - read_time(since)).total_seconds() / 86_400:.1f}"
