"""The backup calendar: per server a strip of days, each with how its backups stood and what arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from orchestrator.reporting.humanise import duration, listed, plural
from orchestrator.reporting.model import Report
from orchestrator.reporting.seen import BackupHistory
from orchestrator.reporting.tone import Tone

MOST_STRIPS = 24
"""Rows that are drawn: those with a gap first, then in the report's order."""


@dataclass(frozen=True)
class Day:
    """One day of a strip; `x` is percent from the left, `count` what arrived (`!` marks a gap by shape)."""

    x: float
    tone: Tone
    count: str
    title: str


@dataclass(frozen=True)
class Strip:
    """One server's days, and the same in words."""

    server: str
    plans: str
    days: Sequence[Day]
    tone: Tone
    words: str
    shared: bool


@dataclass(frozen=True)
class Calendar:
    """All strips with the labels of their common axis; `width` is that of a day in percent."""

    width: float
    labels: Sequence[tuple[float, str]]
    strips: Sequence[Strip]
    left_out: int


def strips(report: Report) -> Calendar | None:
    """The calendar of a report, None where no day is known."""
    rows = [row for row in report.calendar if row.arrived]
    if not rows:
        return None
    drawn = sorted((_strip(row) for row in rows), key=lambda strip: strip.tone is not Tone.BAD)
    count = len(rows[0].arrived)
    width = 100 / count
    first = rows[0].first_day
    labels = [
        (round((i + 0.5) * width, 2), _label(day))
        for i, day in enumerate(first + timedelta(days=i) for i in range(count))
        if day.isoweekday() == 1 or i in (0, count - 1)
    ]
    return Calendar(round(width, 3), _apart(labels), drawn[:MOST_STRIPS], max(0, len(drawn) - MOST_STRIPS))


def _label(day: date) -> str:
    return f"{day:%b} {day.day}"


def _apart(labels: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Without labels that would touch the first or the last, which always stay."""
    inner = [each for each in labels[1:-1] if each[0] - labels[0][0] > 12 and labels[-1][0] - each[0] > 12]
    return [labels[0], *inner, *labels[-1:]] if len(labels) > 1 else labels


def _strip(row: BackupHistory) -> Strip:
    days, missed, known = [], [], 0
    width = 100 / len(row.arrived)
    for i, (planned, arrived, worst) in enumerate(
        zip(row.planned, row.arrived, row.worst_age_seconds, strict=True)
    ):
        day = row.first_day + timedelta(days=i)
        tone = Tone.UNKNOWN if worst is None else Tone.GOOD if worst <= row.rpo_seconds else Tone.BAD
        known += worst is not None
        missed += [day] if tone is Tone.BAD else []
        days.append(
            Day(round(i * width, 2), tone, _count(tone, arrived), _title(day, planned, arrived, worst))
        )
    tone = Tone.BAD if missed else Tone.GOOD if known else Tone.UNKNOWN
    words = _words(row, missed, known)
    return Strip(row.server, ", ".join(row.plans), days, tone, words, len(row.plans) > 1)


def _count(tone: Tone, arrived: int) -> str:
    return "" if tone is Tone.UNKNOWN else str(arrived)


def _title(day: date, planned: int, arrived: int, worst: float | None) -> str:
    if worst is None:
        return f"{day}: nothing had arrived yet"
    return f"{day}: {arrived} arrived, {planned} planned, newest at most {duration(worst)} old"


def _words(row: BackupHistory, missed: Sequence[date], known: int) -> str:
    if not known:
        return "nothing arrived yet"
    arrived, planned = sum(row.arrived), sum(row.planned)
    counted = f"{arrived} arrived, {planned} planned"
    if missed:
        worst = max(age for age in row.worst_age_seconds if age is not None)
        gaps = f"{plural(len(missed), 'day')} outside RPO ({listed([_label(day) for day in missed])})"
        return f"{gaps}, newest up to {duration(worst)} old; {counted}"
    return f"inside RPO on {'the one day' if known == 1 else f'all {known} days'} known; {counted}"
