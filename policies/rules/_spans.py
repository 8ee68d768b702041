"""Seconds as people say them."""

from __future__ import annotations

from typing import Final

DAY: Final = 86_400
HOUR: Final = 3_600


def hours(seconds: float) -> str:
    """`26 h`, `1.5 h`"""
    return f"{seconds / HOUR:.0f} h" if seconds % HOUR == 0 else f"{seconds / HOUR:.1f} h"


def days(seconds: float) -> str:
    """`1 day`, `90 days`, `1.5 days`"""
    count = f"{seconds / DAY:.0f}" if seconds % DAY == 0 else f"{seconds / DAY:.1f}"
    return f"{count} day" if count == "1" else f"{count} days"
