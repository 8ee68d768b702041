"""Evaluations due against done, from the policy reports of a period; docs/evidence.md says what counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from orchestrator.evidence.documents import Read, Row, matrix, rows, table, text
from orchestrator.evidence.period import Period
from orchestrator.evidence.record import Kind, Line

_DONE: Final = "pfwbn"
"""Really judged; what stayed unknown, broke or was not run was due and is not done."""
_KEPT_AS: Final = "policy-report"
_MOST_NAMED: Final = 20


@dataclass(frozen=True)
class _Tally:
    """The pairs of a run that were due, and how many of them ended in which letter."""

    due: int = 0
    letters: Mapping[str, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """How many got an answer."""
        return sum(self.letters.get(each, 0) for each in _DONE)

    def __add__(self, other: _Tally) -> _Tally:
        return _Tally(self.due + other.due, Counter(self.letters) + Counter(other.letters))


def evaluations(lines: Sequence[Line], reports: Sequence[Read]) -> list[Row]:
    """A run a row: pairs of rule and subject that were due, and those that got an answer.

    A run that left no report owes what the last one before it owed: of its verb, or of any where it was
    killed, for then nobody knows the verb.
    """
    by_record: dict[int, list[Read]] = defaultdict(list)
    for report in reports:
        by_record[report.line.number].append(report)
    owed: dict[str, tuple[int, int]] = {}
    made: list[Row] = []
    for line in lines:
        if line.kind not in (Kind.RUN, Kind.KILLED):
            continue
        found, verb = by_record.get(line.number, []), text(line.body, "verb")
        tally, note = sum(map(_tally, found), _Tally()), ""
        if found:
            owed[verb] = owed[""] = (tally.due, line.number)
        elif any(each.name.startswith(_KEPT_AS) for each in line.payloads):
            note = "its policy report was erased, so nobody can count it"
        else:
            tally, note = _without_report(line, owed.get(verb))
        made.append(_row(line, tally, note, found))
    return made


def _without_report(line: Line, before: tuple[int, int] | None) -> tuple[_Tally, str]:
    """What a run owes that left no report, in words too; `before`: how many were due in which record."""
    said = "killed before it could judge" if line.kind == Kind.KILLED else "no policy report"
    if before is None:
        return _Tally(), said
    due, record = before
    return _Tally(due), f"{said}; as many are due as in record {record}"


def _row(line: Line, tally: _Tally, note: str, reports: Sequence[Read]) -> Row:
    letters = tally.letters
    return {
        "record": line.number, "at": line.text("ended_at"), "run": text(line.body, "run"),
        "verb": text(line.body, "verb"), "actor": line.text("actor"),
        "exit_code": text(line.body, "exit_code"), "due": tally.due, "done": tally.done,
        "failed": letters.get("f", 0), "unknown": letters.get("u", 0), "error": letters.get("e", 0),
        "not_run": letters.get("x", 0), "missing": tally.due - sum(letters.values()),
        "not_looked_at": _not_looked_at(reports), "note": note,
    }  # fmt: skip


def evaluation_days(period: Period, lines: Sequence[Line], reports: Sequence[Read]) -> list[Row]:
    """A day a row: one evaluation a day is due, from the chain's first record to its last.

    `lines` is the whole chain. A report counts that judged at least one pair.
    """
    counts = Counter(report.at[:10] for report in reports if _tally(report).done)
    first = lines[0].ended_at().replace(hour=0, minute=0, second=0, microsecond=0)
    made: list[Row] = []
    day: datetime = max(period.begin, first)
    while day < period.end and day <= lines[-1].ended_at():
        name = day.date().isoformat()
        made.append({"day": name, "due": 1, "done": min(1, counts[name]), "evaluations": counts[name]})
        day += timedelta(days=1)
    return made


def _tally(report: Read) -> _Tally:
    """Due are the pairs whose rule reads such subjects, and all that are said not to be run."""
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    subjects = rows(report.found, "subjects")
    for place, subject in enumerate(subjects):
        places[text(subject, "kind"), text(subject, "type")].append(place)
    letters, due, told = Counter[str](), 0, matrix(report)
    for rule in rows(report.found, "rules"):
        line = told.get(text(rule, "id"), "")
        read = _read_by(rule, places, subjects)
        own = Counter(line[place] for place in read if place < len(line))
        rest = Counter(line) - own
        del rest["n"]
        letters += own + rest
        due += len(read) + rest.total()
    return _Tally(due, letters)


def _read_by(
    rule: Mapping[str, Any],
    places: Mapping[tuple[str, str], Sequence[int]],
    subjects: Sequence[Mapping[str, Any]],
) -> Sequence[int]:
    """Places of the subjects that a rule reads: all of them where it does not say which."""
    types, steps = rule.get("types"), table(rule, "steps")
    if not isinstance(types, list):
        return range(len(subjects))
    kind = text(rule, "kind")
    return [
        place
        for each in {one for one in types if isinstance(one, str)}
        for place in places.get((kind, each), ())
        if not steps or _may_be_one(steps, subjects[place])
    ]


def _may_be_one(steps: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    """Whether a step is one of those that a rule judges, or does not say that it is none."""
    types, operations, sides = steps.get("types"), steps.get("operations"), steps.get("sides")
    told: list[bool | None] = []
    if isinstance(types, list):
        told.append(text(step, "step_type") in types if text(step, "step_type") else None)
    if isinstance(operations, list):
        told.append(text(step, "operation") in operations if text(step, "operation") else None)
    if isinstance(sides, list):
        has = step.get("sides")
        told.append(all(side in has for side in sides) if isinstance(has, list) else None)
    return None in told or all(told)


def _not_looked_at(reports: Sequence[Read]) -> str:
    """What the reports themselves say that nobody looked at in this run."""
    named = [text(row, "what") for report in reports for row in rows(report.found, "not_checked")]
    told = list(dict.fromkeys(each for each in named if each))
    more = f" and {len(told) - _MOST_NAMED} more" if len(told) > _MOST_NAMED else ""
    return "; ".join(told[:_MOST_NAMED]) + more
