"""Five-field cron plus an IANA zone, and what follows from it: systemd's OnCalendar and the longest wait."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from stacks.fleet.mistakes import shown

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_SYSTEMD_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_WEEKDAYS = {name.lower(): number for number, name in enumerate(_SYSTEMD_WEEKDAYS)}
_PART = re.compile(r"(?:\*|(?P<first>[a-z0-9]{1,4})(?:-(?P<last>[a-z0-9]{1,4}))?)(?:/(?P<step>[0-9]{1,4}))?")
_LONGEST_EXPRESSION = 200
_LONGEST_CALENDAR = 140
"""Characters; with the zone it stays below what the role `backup` accepts."""
_START = date(2026, 1, 1)
_YEARS_LOOKED_AT = 8
_DAYS_LOOKED_AT = _YEARS_LOOKED_AT * 366
"""Two leap cycles from a fixed day: 29 February comes twice, and the answer is the same every day."""


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
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def dates(self, start: date, years: int = _YEARS_LOOKED_AT) -> Iterator[date]:
        """The local dates on which it fires, from `start` on."""
        for offset in range(years * 366):
            day = start + timedelta(days=offset)
            if self.fires_on(day):
                yield day

    def times_of_day(self) -> list[timedelta]:
        """The local times at which it fires on a day it fires on, in order."""
        return [timedelta(hours=h, minutes=m) for h in self.hours for m in self.minutes]

    def instants(self, day: date, zone: str) -> list[datetime]:
        """When it fires on a local date, in UTC and in order, as systemd does it.

        A time that a change of the clocks skips does not fire; one that comes twice fires the first time.
        """
        return _instants(day, zone, self.times_of_day())

    def longest_gap(self, zone: str = "UTC") -> timedelta:
        """The longest time between two firings, changes of the clocks in `zone` included."""
        return _longest_gap(self, zone)

    def on_calendar(self, zone: str) -> str:
        """The same firing times as one systemd calendar expression (systemd.time(7))."""
        weekdays = (
            "" if len(self.weekdays) == 7 else ",".join(_SYSTEMD_WEEKDAYS[d] for d in self.weekdays) + " "
        )
        months = _numbers(self.months, 12)
        days = _numbers(self.days, 31)
        return (
            f"{weekdays}*-{months}-{days} {_numbers(self.hours, 24)}:{_numbers(self.minutes, 60)}:00 {zone}"
        )


@lru_cache(256)  # most plans of a fleet have the same few, and each is read several times
def parse_schedule(expression: str) -> Schedule:
    """Parse `minute hour day-of-month month weekday`; raises ScheduleError, also when it can never fire."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ScheduleError(f"a schedule has five fields (minute hour day month weekday), not {len(fields)}")
    if len(expression) > _LONGEST_EXPRESSION:
        raise ScheduleError(f"a schedule has at most {_LONGEST_EXPRESSION} characters; use ranges and steps")
    values = [_field(text, *bounds) for text, bounds in zip(fields, _FIELDS, strict=True)]
    if fields[2] != "*" and fields[4] != "*":
        raise ScheduleError(
            "say either a day of the month or a weekday, not both: cron and systemd read both differently"
        )
    weekdays = tuple(sorted({day % 7 for day in values[4]}))
    schedule = Schedule(" ".join(fields), values[0], values[1], values[2], values[3], weekdays)
    if len(schedule.on_calendar("")) > _LONGEST_CALENDAR:
        raise ScheduleError("names too many single times; use ranges and steps such as */5")
    if next(schedule.dates(_START), None) is None:
        raise ScheduleError(f"'{schedule.expression}' never fires: no month it names has such a day")
    return schedule


def _field(text: str, label: str, low: int, high: int) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.lower())
        if match is None:
            raise ScheduleError(
                f"{label} '{shown(part)}' is not a number, range (1-5), step (*/15), list or *"
            )
        first, last = _bounds(match, part, label, low, high)
        step = int(match["step"] or 1)
        if match["step"] and not (1 <= step <= high - low):
            raise ScheduleError(f"{label} '{part}' has a step outside 1-{high - low}")
        if match["step"] and match["first"] and not match["last"]:
            raise ScheduleError(
                f"{label} '{part}' steps from a single value; say {match['first']}-{high}/{step}"
            )
        values.update(range(first, last + 1, step))
    return tuple(sorted(values))


def _bounds(match: re.Match[str], part: str, label: str, low: int, high: int) -> tuple[int, int]:
    if match["first"] is None:
        return low, high if label != "weekday" else 6
    first = _value(match["first"], label)
    last = _value(match["last"], label) if match["last"] else first
    if label == "weekday" and match["last"] in ("sun", "0") and first > 0:
        last = 7  # a week that ends on Sunday: fri-sun
    if not (low <= first <= high and low <= last <= high):
        raise ScheduleError(f"{label} '{part}' is outside {low}-{high}")
    if last < first:
        raise ScheduleError(f"{label} '{part}' runs backwards; write two ranges: {first}-{high},{low}-{last}")
    return first, last


def _value(text: str, label: str) -> int:
    names = {"month": _MONTHS, "weekday": _WEEKDAYS}.get(label, {})
    if text in names:
        return names[text]
    if not text.isdigit():
        raise ScheduleError(
            f"{label} '{text}' is not a number" + (" or a name such as mon or jan" if names else "")
        )
    return int(text)


def _numbers(values: tuple[int, ...], size: int) -> str:
    if len(values) == size:
        return "*"
    steps = {later - earlier for earlier, later in pairwise(values)}
    if len(values) > 2 and len(steps) == 1:
        return f"{values[0]:02d}..{values[-1]:02d}/{steps.pop()}"
    return ",".join(f"{value:02d}" for value in values)


def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)


def _instants(day: date, zone: str, times: list[timedelta]) -> list[datetime]:
    local = _zone(zone)
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001  # wall clock, placed in a zone below
    found = []
    for time in times:
        wall = midnight + time
        instant = wall.replace(tzinfo=local).astimezone(UTC)
        if instant.astimezone(local).replace(tzinfo=None) == wall:
            found.append(instant)
    return found


@cache
def _longest_gap(schedule: Schedule, zone: str) -> timedelta:
    times = schedule.times_of_day()
    overnight = timedelta(days=1) - times[-1] + times[0]
    longest = _widest(times)
    changes = _clock_changes(zone)
    for earlier, later in pairwise(schedule.dates(_START)):
        place = bisect_left(changes, earlier)
        if place == len(changes) or changes[place] > later:  # what spans a change of the clocks comes below
            longest = max(longest, overnight + (later - earlier) - timedelta(days=1))
    for change in changes:
        longest = max(longest, _widest(_around(schedule, change, zone)))
    return longest


def _around(schedule: Schedule, change: date, zone: str) -> list[datetime]:
    """The instants from the last firing before a day on which the clocks change to the first after it."""
    times = schedule.times_of_day()

    def nearest(step: int, time: list[timedelta]) -> list[datetime]:
        days = (change + timedelta(days=step * n) for n in range(1, _DAYS_LOOKED_AT))
        firing = (_instants(day, zone, time) for day in days if schedule.fires_on(day))
        return next(filter(None, firing), [])

    on_the_day = schedule.instants(change, zone) if schedule.fires_on(change) else []
    return [*nearest(-1, times[-1:]), *on_the_day, *nearest(1, times[:1])]


def _widest(moments: Sequence[datetime] | Sequence[timedelta]) -> timedelta:
    return max((later - earlier for earlier, later in pairwise(moments)), default=timedelta(0))  # type: ignore[operator]


@cache
def _clock_changes(zone: str) -> tuple[date, ...]:
    """The local dates on which the zone's clocks change, in the years looked at, in order."""
    local = _zone(zone)
    first = datetime(_START.year, _START.month, _START.day, tzinfo=local)
    midnights = (first + timedelta(days=offset) for offset in range(_DAYS_LOOKED_AT))
    return tuple(one.date() for one, other in pairwise(midnights) if one.utcoffset() != other.utcoffset())
