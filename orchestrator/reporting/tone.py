"""How a thing stands, for every format: four tones, each with its symbol, and severities, worst first."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

SEVERITIES: Final[tuple[Literal["critical", "high", "medium", "low"], ...]] = (
    *("critical", "high"),
    *("medium", "low"),
)


class Tone(StrEnum):
    """How a thing stands. Formats pair each with a symbol and a word, so colour never carries it alone."""

    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"
    UNKNOWN = "unknown"


SYMBOLS: Final[dict[Tone, str]] = {Tone.GOOD: "✓", Tone.ATTENTION: "!", Tone.BAD: "✕", Tone.UNKNOWN: "?"}
SEVERITY_SYMBOLS: Final[dict[str, str]] = {"critical": "✕", "high": "✕", "medium": "!", "low": "·"}
"""Of findings: what failed a little is known, so it has not the sign of what nobody knows."""
