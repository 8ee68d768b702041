"""Text in terminal columns: how many an already neutralised text takes, and how it is made to fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator


def columns(text: str) -> int:
    """How many terminal columns an already neutralised text takes; wide characters take two, marks none."""
    return sum(_width(c) for c in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, limit: int) -> str:
    """The text in at most `limit` columns, ending in an ellipsis where something was cut."""
    if columns(text) <= limit:
        return text
    kept, used = [], 0
    for character in text:
        if used + _width(character) > limit - 1:
            break
        kept.append(character)
        used += _width(character)
    return "".join(kept).rstrip() + "…"


def fitted(start: str, text: str, width: int) -> Iterator[str]:
    """The text behind `start`, on more lines where the window is narrower."""
    room, line = max(20, width - columns(start)), ""
    for word in text.split(" "):
        if line and columns(line) + 1 + columns(word) > room:
            yield (start + line).rstrip()
            start, line = " " * columns(start), word
        else:
            line = f"{line} {word}" if line else word
    yield (start + line).rstrip()
