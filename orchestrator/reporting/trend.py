"""How a figure went from run to run: the small charts of the index page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.reporting.history import RunRow
from orchestrator.reporting.humanise import duration, instant, plural

MOST_POINTS = 60
_LOOKS = ("up", "verify")


@dataclass(frozen=True)
class Trend:
    """One chart: places are percent from the left and from the top; `words` says the same as a sentence."""

    title: str
    newest: str
    note: str
    points: Sequence[tuple[float, float]]
    top: str
    words: str


def trends(rows: Sequence[RunRow]) -> list[Trend]:
    """The four figures that an owner watches; runs that do not have one are left out of its chart."""
    return [
        _trend("Duration of up", "each up", duration, [
            (row, row.duration_seconds) for row in rows if row.verb == "up" and row.reported
        ]),
        _trend("Findings", "each up and verify", _count, [
            (row, float(sum(row.findings.values()))) for row in rows if row.verb in _LOOKS and row.reported
        ]),
        _trend("Age of the newest backup", "each run that looked", duration, [
            (row, row.newest_backup_age_seconds) for row in rows
        ]),
        _trend("Restore", "each restore that was tried", duration, [
            (row, row.restore_seconds) for row in rows
        ]),
    ]  # fmt: skip


def _count(value: float) -> str:
    return f"{value:.0f}"


def _trend(
    title: str, of: str, say: Callable[[float], str], values: Sequence[tuple[RunRow, float | None]]
) -> Trend:
    return trend_of(title, of, say, [(row.started_at, value) for row, value in values])


def trend_of(
    title: str, of: str, say: Callable[[float], str], values: Sequence[tuple[datetime, float | None]]
) -> Trend:
    """One figure over time, oldest first; a time that has no value is left out."""
    known = [(at, max(0.0, value)) for at, value in values if value is not None][-MOST_POINTS:]
    if not known:
        return Trend(title, "none yet", of, (), "", f"{title}: no run has it yet.")
    figures = [value for _, value in known]
    top = max(figures) or 1.0
    across = max(1, len(known) - 1)
    points = [
        (round(2 + 96 * i / across, 2) if len(known) > 1 else 50.0, round(92 - 84 * value / top, 2))
        for i, value in enumerate(figures)
    ]
    newest = say(figures[-1])
    words = (
        f"{title}, {plural(len(known), 'run')} since {instant(known[0][0])}: "
        f"from {say(min(figures))} to {say(max(figures))}, newest {newest}."
    )
    spread = f"{say(min(figures))} to {say(max(figures))}, {of}"
    return Trend(title, newest, spread if len(known) > 1 else of, points, say(top), words)


def path(points: Sequence[tuple[float, float]]) -> str:
    """The line through the points, in a drawing of 100 by 100."""
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in points)
