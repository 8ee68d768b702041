"""Typed, path-keeping reading of a subject's facts, where any value may not be known yet."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MAPPINGS: Final = (dict, Mapping)
"""The kind that JSON gives first: whether a value is a Mapping is found out slowly."""
_LONGEST_SHOWN: Final = 120
# Terminal control, line and bidirectional characters: a name in a merge request must not repaint a report.
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class Unknown:
    """Stands where a value exists only after the change, or where nobody could look; `reason` says why."""

    reason: str = ""


UNKNOWN: Final = Unknown()


class UnknownFactError(Exception):
    """A rule asked for a value that is not known yet.

    `settled_at_up`: the value can never be known at preview (the provider assigns it), so asking
    again before the change is made is the only answer; `on_unknown` does not apply to it.
    """

    def __init__(self, path: str, *, settled_at_up: bool = False, reason: str = "") -> None:
        super().__init__(f"{path} is not known" + (f": {reason}" if reason else ""))
        self.path = path
        self.settled_at_up = settled_at_up
        self.reason = reason


class MalformedFactError(Exception):
    """A fact is missing, or is not of the kind that every subject of its type has."""

    def __init__(self, path: str, expected: str, got: object) -> None:
        super().__init__(f"{path}: expected {expected}, got {shown(got)}")
        self.path = path


def shown(value: object) -> str:
    """One safe line for a value that came from outside, at most 120 characters long."""
    if isinstance(value, str) and len(value) <= _LONGEST_SHOWN and value.isascii() and value.isprintable():
        return value  # nearly all are
    text = "nothing" if value is None else value if isinstance(value, str) else _begun(value)
    text = _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text[: _LONGEST_SHOWN + 1])
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _begun(value: object) -> str:
    """The beginning of what `repr` says, no longer than is shown: the whole may be larger than the memory."""
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > _LONGEST_SHOWN:
            break
    return text


def _pieces(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for place, (key, each) in enumerate(value.items()):
            yield ", " if place else ""
            yield from _pieces(key)
            yield ": "
            yield from _pieces(each)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for place, each in enumerate(value):
            yield ", " if place else ""
            yield from _pieces(each)
        yield "]"
    elif isinstance(value, str | bytes):
        yield repr(value[: _LONGEST_SHOWN + 1])
    elif isinstance(value, int) and value.bit_length() > _LONGEST_SHOWN * 4:
        yield f"a whole number of {value.bit_length()} bits"  # Python itself refuses to spell the longest
    else:
        yield repr(value)


# What comes from JSON is a dict or a list: asked first, since a Mapping or Sequence is found out slowly.
_LISTS: Final = (list, Sequence)
_TABLES: Final = (dict, Unknown, Mapping)
_NUMBERS: Final = (int, float)


class Facts:
    """A mapping out of a subject, which knows its place in it, so that findings can name the property."""

    __slots__ = ("_known", "_values", "path")

    def __init__(self, values: Mapping[str, object] | Unknown, path: str = "") -> None:
        self._values = values
        self.path = path
        # Nearly every value is known and of the kind that is asked for, and is then read by one look here.
        self._known: Mapping[str, object] = {} if isinstance(values, Unknown) else values

    def raw(self) -> Mapping[str, object] | Unknown:
        """All values as they came, for normalisers that put them into another subject; rules read by key."""
        return self._values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facts) and (self.path, self._values) == (other.path, other._values)

    __hash__ = None  # type: ignore[assignment]  # values are mappings

    def where(self, key: str) -> str:
        """The property path of `key`, as in `rules[0].source`."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether `key` is set, be its value known or not."""
        return self._known.get(key) is not None or self._mapping().get(key) is not None

    def get(self, key: str) -> object:
        """The raw value or None; raises UnknownFactError."""
        value = self._known.get(key)
        if value is None:
            self._mapping()
        elif isinstance(value, Unknown):
            raise UnknownFactError(self.where(key), reason=value.reason)
        return value

    def text(self, key: str) -> str:
        """A string; a missing one is a mistake."""
        value = self._known.get(key)
        if isinstance(value, str) or isinstance(value := self.get(key), str):
            return value
        raise MalformedFactError(self.where(key), "a text", value)

    def text_or_none(self, key: str) -> str | None:
        """A string that may be left out."""
        value = self._known.get(key)
        if isinstance(value, str):
            return value
        if (value := self.get(key)) is None:
            return None
        raise MalformedFactError(self.where(key), "a text", value)

    def number(self, key: str, default: float | None = None) -> float:
        """A number; the wire knows one kind only."""
        value = self.get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, _NUMBERS):
            raise MalformedFactError(self.where(key), "a number", value)
        # Nothing is above or below a value that is no number: every limit would hold.
        if isinstance(value, float) and not math.isfinite(value):
            raise MalformedFactError(self.where(key), "a finite number", value)
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number, which the wire may have made 22.0 of 22."""
        value = self._known.get(key)
        if type(value) is int:  # true and false are numbers to isinstance
            return value
        value = self.number(key, default)
        if value != int(value):
            raise MalformedFactError(self.where(key), "a whole number", value)
        return int(value)

    def flag(self, key: str) -> bool:
        """True or false; a missing flag is a mistake, never false."""
        value = self._known.get(key)
        if isinstance(value, bool) or isinstance(value := self.get(key), bool):
            return value
        raise MalformedFactError(self.where(key), "true or false", value)

    def table(self, key: str) -> Facts:
        """A nested mapping, which may be unknown as a whole."""
        value = self._known.get(key)
        if isinstance(value, _TABLES):
            return Facts(value, self.where(key))
        self._mapping()
        raise MalformedFactError(self.where(key), "a mapping", value)

    def rows(self, key: str) -> tuple[Facts, ...]:
        """A list of mappings; one that is unknown raises when it is read, so the others are still judged."""
        return tuple(self._row(key, place, value) for place, value in enumerate(self._list(key)))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, all of them known."""
        values = self._list(key)
        if {*map(type, values)} <= {str}:
            return tuple(map(str, values))
        return tuple(value for _, value in self._texts(key))

    def wholes(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers, all of them known."""
        values = self._list(key)
        if {*map(type, values)} <= {int}:
            return tuple(value for value in values if isinstance(value, int))
        numbers = {str(place): value for place, value in enumerate(values)}
        return tuple(Facts(numbers, self.where(key)).whole(place) for place in numbers)

    def known_texts(self, key: str) -> tuple[list[tuple[str, str]], list[str]]:
        """The (path, value) pairs that are known, and the paths of those that are not."""
        if isinstance(self._mapping().get(key), Unknown):
            return [], [self.where(key)]
        gaps = [self._place(key, n) for n, value in enumerate(self._list(key)) if isinstance(value, Unknown)]
        return list(self._texts(key, skip_unknown=True)), gaps

    def _mapping(self) -> Mapping[str, object]:
        if isinstance(self._values, Unknown):
            raise UnknownFactError(self.path or "all properties", reason=self._values.reason)
        return self._values

    def _place(self, key: str, place: int) -> str:
        return f"{self.where(key)}[{place}]"

    def _list(self, key: str) -> Sequence[object]:
        value = self.get(key)
        if value is None:
            return ()
        if isinstance(value, str) or not isinstance(value, _LISTS):
            raise MalformedFactError(self.where(key), "a list", value)
        return value

    def _row(self, key: str, place: int, value: object) -> Facts:
        if isinstance(value, _TABLES):
            return Facts(value, self._place(key, place))
        raise MalformedFactError(self._place(key, place), "a mapping", value)

    def _texts(self, key: str, *, skip_unknown: bool = False) -> Iterator[tuple[str, str]]:
        for place, value in enumerate(self._list(key)):
            if isinstance(value, Unknown):
                if skip_unknown:
                    continue
                raise UnknownFactError(self._place(key, place), reason=value.reason)
            if not isinstance(value, str):
                raise MalformedFactError(self._place(key, place), "a text", value)
            yield self._place(key, place), value
