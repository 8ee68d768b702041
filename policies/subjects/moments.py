"""Dates out of documents, in UTC, and the days between them; whatever is no date is None."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

_DAY: Final = 86_400.0
_LONGEST: Final = 64


def moment(text: object) -> datetime | None:
    """A date and time with its zone, in UTC; None for anything else."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def end_of_day(text: object) -> datetime | None:
    """The last moment, in UTC, of a day that YAML read as a date or that is written YYYY-MM-DD."""
    if isinstance(text, str) and len(text) == len("2026-11-29"):
        try:
            text = date.fromisoformat(text)
        except ValueError:
            return None
    if isinstance(text, date) and not isinstance(text, datetime):
        return datetime.combine(text, time.max, UTC)
    return None


def days_since(epoch: object, at: datetime) -> float | None:
    """Days from a moment in seconds since 1970 until `at`, 0 for one that is to come."""
    if isinstance(epoch, bool) or not isinstance(epoch, int | float):
        return None
    return max((at.timestamp() - epoch) / _DAY, 0.0)
