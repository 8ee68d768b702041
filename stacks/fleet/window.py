"""When a maintenance window is open: wall-clock times in its zone, changes of the clocks included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from stacks.fleet.service import Maintenance

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS_LOOKED_AT = 15
"""Two weeks and a day: a weekly window whose hour is missing once has another within them."""


@dataclass(frozen=True)
class Opening:
    """One time for which a window is open, in UTC; the end does not belong to it."""

    begins: datetime
    ends: datetime

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.begins <= at < self.ends

    def shown(self, zone: str) -> str:
        """`Sun 2026-11-29 01:00-03:00 UTC (02:00-04:00 Europe/Berlin)`"""
        text = f"{self.begins:%a %Y-%m-%d %H:%M}-{self.ends:%H:%M} UTC"
        local = _zone(zone)
        here, until = self.begins.astimezone(local), self.ends.astimezone(local)
        return text if zone == "UTC" else f"{text} ({here:%H:%M}-{until:%H:%M} {zone})"


def opening(maintenance: Maintenance, at: datetime) -> Opening:
    """The opening that a moment lies in, else the next one."""
    return next(each for each in _openings(maintenance, at) if at < each.ends)


def _openings(maintenance: Maintenance, at: datetime) -> Iterator[Opening]:
    weekday, _, times = maintenance.window.rpartition(" ")
    first, _, last = times.partition("-")
    begin, end = time.fromisoformat(first), time.fromisoformat(last)
    local = _zone(maintenance.timezone)
    today = at.astimezone(local).date()
    for offset in range(-1, _DAYS_LOOKED_AT):
        day = today + timedelta(days=offset)
        if weekday and _WEEKDAYS[day.weekday()] != weekday:
            continue
        until = day if end > begin else day + timedelta(days=1)
        # An hour that comes twice belongs to the window both times; one that is missing does not open it.
        found = Opening(
            datetime.combine(day, begin, local).astimezone(UTC),
            datetime.combine(until, end, local).replace(fold=1).astimezone(UTC),
        )
        if found.begins < found.ends:
            yield found


def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)
