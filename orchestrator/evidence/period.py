"""A stretch of time by its name: a year, a quarter, a month or two days, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from orchestrator.errors import InputError

_FORM: Final = re.compile(r"(?P<year>20\d\d)(?:-(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")


@dataclass(frozen=True)
class Period:
    """From `begin`, which belongs to it, to `end`, which does not."""

    name: str
    begin: datetime
    end: datetime

    def has(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.begin <= at < self.end


def read_period(name: str) -> Period:
    """`2026`, `2026-Q4`, `2026-11` or `2026-11-03..2026-11-30`; raises InputError."""
    begin, dots, end = name.partition("..")
    if dots:
        return _days(name, begin, end)
    found = _FORM.fullmatch(name)
    if found is None:
        raise _unknown(name)
    year = int(found["year"])
    first, months = 1, 12
    if found["quarter"]:
        first, months = 3 * int(found["quarter"]) - 2, 3
    elif found["month"]:
        first, months = int(found["month"]), 1
    after = first + months
    until = datetime(year + (after > 12), (after - 1) % 12 + 1, 1, tzinfo=UTC)
    return Period(name, datetime(year, first, 1, tzinfo=UTC), until)


def _days(name: str, begin: str, end: str) -> Period:
    try:
        first, last = (datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) for day in (begin, end))
    except ValueError as problem:
        raise _unknown(name) from problem
    if last < first:
        raise InputError("period", "ends before it begins", got=name)
    return Period(name.replace("..", "_"), first, last + timedelta(days=1))


def _unknown(name: str) -> InputError:
    return InputError(
        "period", "is no period", got=name[:40], rule="2026, 2026-Q4, 2026-11 or 2026-11-03..2026-11-30",
    )  # fmt: skip
