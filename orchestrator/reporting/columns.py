"""Text in terminal columns: how many an already neutralised text takes, and how it is made to fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator


def columns(text: str) -> int:
    """How many terminal columns an already neutralised text takes; wide characters take two, marks none."""
    return len(text) if text.isascii() else sum(_width(c) for c in text)


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
    return laid(text.split(" "), width, first=start, then=" " * columns(start))


def laid(
    words: Iterable[str], width: int, *, first: str = "", then: str = "", between: str = " "
) -> Iterator[str]:
    """Words on lines that begin with `first` and `then`; none is cut, also where one is wider than a line.

    A word may hold spaces; those that it begins with keep it apart from the word before on its line.
    """
    start, line = first, ""
    for word in words:
        if line and columns(line + between + word) > max(20, width - columns(start)):
            yield (start + line).rstrip()
            start, line = then, ""
        line = f"{line}{between}{word}" if line else word.lstrip()
    yield (start + line).rstrip()
