"""JSON that judges or is judged: a key that stands twice, or a number that is none, is refused by place.

Readers differ in which of two values they take, so a file could show its reviewer another one than we read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final, NoReturn

_MOST_DEPTH: Final = 200
"""Of the search for the place; what lies deeper is told by its key alone."""


class _Pairs(tuple[tuple[str, Any], ...]):
    """A mapping as it was written, with what stands twice."""

    __slots__ = ()


class _NoNumber:
    """Where a number stands that is none."""

    def __init__(self, text: str) -> None:
        self.text = text


class JsonError(ValueError):
    """The text is JSON, and says a thing twice or names no number; the text names the place."""


def parsed(content: str | bytes) -> Any:
    """The value in the text; raises ValueError (JsonError with the place), and RecursionError."""
    try:
        return json.loads(content, object_pairs_hook=_once, parse_constant=_none, parse_float=_finite)
    except JsonError as error:
        raise JsonError(_told(content, error)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonError("a key stands twice")
    return found


def _none(text: str) -> NoReturn:
    raise JsonError(f"{text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonError(f"{text} is no number that can be counted with")
    return value


def _told(content: str | bytes, error: JsonError) -> str:
    """The first fault with its place; the file is read again, since whole files need no places."""
    marked = json.loads(
        content,
        object_pairs_hook=_Pairs,
        parse_constant=_NoNumber,
        parse_float=lambda text: float(text) if math.isfinite(float(text)) else _NoNumber(text),
    )
    return next(_faults(marked, "", 0), str(error))


def _faults(value: object, place: str, depth: int) -> Iterator[str]:
    if isinstance(value, _NoNumber):
        yield f"{place or 'the document'}: {value.text[:40]} is no number that can be counted with"
    elif depth > _MOST_DEPTH:
        return
    elif isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, each in value:
            at = f"{place}.{key[:80]}" if place else key[:80]
            if key in seen:
                yield f"{at}: the key stands twice in one mapping; readers differ in which of them counts"
            seen.add(key)
            yield from _faults(each, at, depth + 1)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _faults(each, f"{place}[{number}]", depth + 1)
