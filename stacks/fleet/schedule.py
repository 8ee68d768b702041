"""Five-field cron plus an IANA zone, and what follows from it: systemd's OnCalendar and the longest wait."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_MONTHS = dict(zip("jan feb mar apr may jun jul aug sep oct nov dec".split(), range(1, 13), strict=True))
_WEEKDAYS = dict(zip("sun mon tue wed thu fri sat".split(), range(7), strict=True))
_SYSTEMD_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,4}))?")
_YEARS_LOOKED_AT = 8
"""Two leap cycles: long enough for 29 February to come twice."""


class ScheduleError(ValueError):
    """The expression is not a schedule; the text says which field and what it allows."""


@dataclass(frozen=True)
class Schedule:
    """The sets a cron expression names; weekdays count from Sunday = 0."""

    expression: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def fires_on(self, day: date) -> bool:
        """Whether the schedule fires on this local date."""
        return (
            day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays
        )

    def dates(self, start: date, years: int = _YEARS_LOOKED_AT) -> Iterator[date]:
        """The local dates on which it fires, from `start` on."""
        for offset in range(years * 366):
            day = start + timedelta(days=offset)
            if self.fires_on(day):
                yield day

    def times_of_day(self) -> list[timedelta]:
        """The local times at which it fires on a day it fires on, in order."""
        return [timedelta(hours=h, minutes=m) for h in self.hours for m in self.minutes]

    def longest_gap(self) -> timedelta:
        """The longest wall-clock wait between two firings; a change of the clocks can add an hour to it."""
        times = self.times_of_day()
        within = max((later - earlier for earlier, later in pairwise(times)), default=timedelta(0))
        overnight = timedelta(days=1) - times[-1] + times[0]
        longest = within
        for earlier, later in pairwise(self.dates(date(2024, 1, 1))):
            longest = max(longest, overnight + (later - earlier) - timedelta(days=1))
        return longest

    def on_calendar(self, zone: str) -> str:
        """The same firing times as one systemd calendar expression (systemd.time(7))."""
        weekdays = "" if len(self.weekdays) == 7 else ",".join(_SYSTEMD_WEEKDAYS[d] for d in self.weekdays) + " "
        months = _numbers(self.months, 12)
        days = _numbers(self.days, 31)
        return f"{weekdays}*-{months}-{days} {_numbers(self.hours, 24)}:{_numbers(self.minutes, 60)}:00 {zone}"


def parse_schedule(expression: str) -> Schedule:
    """Parse `minute hour day-of-month month weekday`; raises ScheduleError, also when it can never fire."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ScheduleError(f"a schedule has five fields (minute hour day month weekday), not {len(fields)}")
    values = [_field(text, *bounds) for text, bounds in zip(fields, _FIELDS, strict=True)]
    if fields[2] != "*" and fields[4] != "*":
        raise ScheduleError("say either a day of the month or a weekday, not both: cron and systemd read both differently")
    weekdays = tuple(sorted({day % 7 for day in values[4]}))
    schedule = Schedule(" ".join(fields), values[0], values[1], values[2], values[3], weekdays)
    if next(schedule.dates(date(2024, 1, 1)), None) is None:
        raise ScheduleError(f"'{schedule.expression}' never fires: no month it names has such a day")
    return schedule


def _field(text: str, label: str, low: int, high: int) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.lower())
        if match is None:
            raise ScheduleError(f"{label} '{part}' is not a number, range (1-5), step (*/15), list or *")
        step = int(match["step"] or 1)
        if match["first"] is None:
            first, last = low, high if label != "weekday" else 6
        else:
            first = _value(match["first"], label)
            last = _value(match["last"], label) if match["last"] else (high if match["step"] else first)
        if not (low <= first <= last <= high) or step < 1:
            raise ScheduleError(f"{label} '{part}' is outside {low}-{high}")
        values.update(range(first, last + 1, step))
    return tuple(sorted(values))


def _value(text: str, label: str) -> int:
    names = {"month": _MONTHS, "weekday": _WEEKDAYS}.get(label, {})
    if text in names:
        return names[text]
    if not text.isascii() or not text.isdigit():
        raise ScheduleError(f"{label} '{text}' is not a number" + (" or a name such as mon or jan" if names else ""))
    return int(text[:6])


def _numbers(values: tuple[int, ...], size: int) -> str:
    return "*" if len(values) == size else ",".join(f"{value:02d}" for value in values)
