"""Durations, ages, sizes and instants in the shortest form a person reads without counting."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `0.4 s`, `12 s`, `2m 41s`, `26h`, `3d 4h`."""
    if seconds < 0:
        return "–" + duration(-seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    # RPOs are written as hours up to two days (26h), so that the report repeats the fleet file's words.
    units = _UNITS if whole >= 172800 else _UNITS[1:]
    for (unit, size), (smaller, part) in pairwise(units):
        if whole >= size:
            count, rest = divmod(whole, size)
            return f"{count}{unit} {rest // part}{smaller}" if rest // part else f"{count}{unit}"
    return f"{whole} s"


def age(seconds: float | None) -> str:
    """How long ago something was; a negative age means that two clocks disagree and says so."""
    if seconds is None:
        return "unknown"
    return f"{duration(seconds)} ago" if seconds >= 0 else f"{duration(-seconds)} in the future"


def size(count: int) -> str:
    """A number of bytes in binary units: `512 B`, `1.5 MiB`, `10 GiB`."""
    value, unit = float(count), 0
    while abs(value) >= 1023.95 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return (
        f"{value:.0f} {_SIZES[unit]}"
        if unit == 0 or value >= 99.95
        else f"{value:.1f} {_SIZES[unit]}".replace(".0 ", " ")
    )


def number(value: float) -> str:
    """A figure without a needless fraction: `1`, `0.5`."""
    return f"{value:g}"


def utc(moment: datetime) -> datetime:
    """The moment in UTC; the model says all times are UTC, so one without a zone is taken as such."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def instant(moment: datetime | None, *, seconds: bool = False) -> str:
    """A moment as `2026-11-22 06:20 UTC`."""
    if moment is None:
        return "unknown"
    return utc(moment).strftime("%Y-%m-%d %H:%M:%S UTC" if seconds else "%Y-%m-%d %H:%M UTC")


def iso(moment: datetime) -> str:
    """A moment as `2026-11-22T06:20:00Z`, with microseconds only where there are any."""
    return utc(moment).isoformat().replace("+00:00", "Z")


def plural(count: int, word: str, many: str = "") -> str:
    """A count with its word: `1 server`, `3 servers`."""
    return f"{count} {word if count == 1 else many or word + 's'}"


def listed(words: list[str], *, most: int = 3) -> str:
    """Words as prose: `web-1, web-2 and db-1`, or with `and 4 more` beyond `most`."""
    if len(words) > most:
        return ", ".join(words[:most]) + f" and {len(words) - most} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
