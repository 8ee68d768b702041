"""How a thing stands, for every format: four tones, each with its symbol, and severities, worst first."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, Protocol

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
_GRAVE: Final[dict[str, str]] = {"critical": "✕", "high": "✕", "medium": "!", "low": "·"}


class Found(Protocol):
    """What a finding has to say to be given a symbol."""

    @property
    def severity(self) -> str:
        """How grave it is, or would be."""
        ...

    @property
    def unjudged(self) -> bool:
        """Whether nobody could tell."""
        ...


def symbol(finding: Found) -> str:
    """By severity, of what was seen; what nobody could tell has that of the unknown, however grave it is."""
    return SYMBOLS[Tone.UNKNOWN] if finding.unjudged else _GRAVE[finding.severity]
