"""Times out of cron fields and maintenance windows, in UTC, over a week of winter and one of summer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from policies.facts import Facts, MalformedFactError

_WEEKS: Final = (date(2026, 1, 5), date(2026, 7, 6))
"""Mondays, far from every change of the clocks."""
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART: Final = re.compile(r"(\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([1-9][0-9]?))?")
_WINDOW: Final = re.compile(
    r"(?:(Sun|Mon|Tue|Wed|Thu|Fri|Sat) )?([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])"
)

Span = tuple[datetime, datetime]


def firings(plan: Facts) -> list[datetime]:
    """When a plan (`schedule`, `timezone`) fires in both weeks; a day of the month counts as every day."""
    expression = plan.text("schedule")
    fields = expression.split()
    if len(fields) != 5 or len(expression) > 200:
        raise MalformedFactError(plan.where("schedule"), "five cron fields", expression)
    zone, place = _zone(plan), plan.where("schedule")
    minutes, hours = _field(fields[0], 59, place), _field(fields[1], 23, place)
    weekdays = {day % 7 for day in _field(fields[4], 7, place)}
    return [
        datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
        for day in _days()
        if day.isoweekday() % 7 in weekdays
        for hour in hours
        for minute in minutes
    ]


def openings(window: Facts) -> list[Span]:
    """When a window (`window`, `timezone`) is open on the days of both weeks."""
    text = window.text("window")
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise MalformedFactError(window.where("window"), "a window such as Sun 02:00-04:00", text)
    weekday, zone = match[1], _zone(window)
    begin, end = time(int(match[2]), int(match[3])), time(int(match[4]), int(match[5]))
    return [
        (
            datetime.combine(day, begin, zone).astimezone(UTC),
            datetime.combine(day + timedelta(days=end <= begin), end, zone).astimezone(UTC),
        )
        for day in _days()
        if weekday is None or f"{day:%a}" == weekday
    ]


def _days() -> Iterator[date]:
    return (monday + timedelta(days=offset) for monday in _WEEKS for offset in range(7))


def _zone(facts: Facts) -> ZoneInfo:
    name = facts.text("timezone")
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as problem:
        raise MalformedFactError(facts.where("timezone"), "an IANA time zone", name) from problem


def _field(text: str, last: int, place: str) -> list[int]:
    for number, name in enumerate(_WEEKDAYS):
        text = text.lower().replace(name, str(number))
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise MalformedFactError(place, "five cron fields", text)
        low = int(match[2] or 0)
        high = last if match[2] is None else int(match[3] or low)
        values.update(range(low, min(high, last) + 1, int(match[4] or 1)))
    return sorted(values)
