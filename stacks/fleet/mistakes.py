"""A mistake in a fleet file, told so that its reader can mend it without the manual."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_LONGEST_VALUE = 60
_MOST_NAMES_COMPARED = 100
"""A comparison costs microseconds, and a file may hold thousands of unknown names."""

Place = tuple[str | int, ...]
RoleCheck = Callable[[str, Mapping[str, Any]], Sequence[tuple[str, str]]]
"""Judges one use of a role, (name, variables) -> pairs of variable ('' for the role itself) and problem."""


@dataclass(frozen=True)
class Mistake:
    """Where in the file (keys and list positions), what is wrong, and the line when it is known.

    `source` is the included file that the line is of, "" for the fleet file itself.
    """

    place: Place
    message: str
    line: int | None = None
    source: str = ""

    @property
    def path(self) -> str:
        """`servers.web.ingress[0].port`"""
        text = ""
        for step in self.place:
            text += f"[{step}]" if isinstance(step, int) else (f".{shown(step)}" if text else shown(step))
        return text or "(file)"


class FleetInvalid(Exception):  # noqa: N818  # reads as what it says
    """A fleet file with mistakes; all of them, in the order of the file."""

    def __init__(self, source: str, mistakes: Iterable[Mistake]) -> None:
        self.source = shown(source)
        self.mistakes = tuple(sorted(mistakes, key=lambda each: (each.source, each.line or 0, each.path)))
        super().__init__(self.source)

    def __str__(self) -> str:
        width = min(max((len(each.path) for each in self.mistakes), default=0), 34)
        return "\n".join([head(self), "", *(_row(each, width) for each in self.mistakes)])


def head(problem: FleetInvalid) -> str:
    """`demo.yaml: 2 mistakes, nothing was changed`"""
    count = len(problem.mistakes)
    return f"{problem.source}: {count} mistake{'s' * (count != 1)}, nothing was changed"


def _row(mistake: Mistake, width: int) -> str:
    return f"  {mistake.path:<{width}}  {mistake.message}{where(mistake)}"


def where(mistake: Mistake) -> str:
    """`   line 3 of common/shop.yaml`, with what is known of it."""
    words = [f"line {mistake.line}"] if mistake.line else []
    if mistake.source:
        words.append(f"{'of' if words else 'in'} {shown(mistake.source)}")
    return f"   {' '.join(words)}" if words else ""


def shown(value: object, longest: int = _LONGEST_VALUE) -> str:
    """A value as an error message may show it: printable, on one line, short."""
    text = value if isinstance(value, str) else repr(value)
    short = "".join(map(_printable, text[:longest]))
    return short + "…" if len(text) > longest else short


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"


def shown_value(value: object) -> str:
    """A value in the words of the file: `'text'`, `true`, `nothing`, `a list`, `a mapping with size`."""
    match value:
        case None | bool():
            return "nothing" if value is None else str(value).lower()
        case str():
            return f"'{shown(value)}'"
        case Mapping():
            return f"a mapping with {', '.join(map(shown, list(value)[:6]))}" if value else "an empty mapping"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case _:
            return shown(str(value) if isinstance(value, Decimal) else value)


def nearest(got: str, known: Iterable[str]) -> str:
    """`known: app, db. Did you mean 'app'?`, for a name that does not exist."""
    names = sorted(known)
    if not names:
        return "none is declared"
    listed = ", ".join(names[:12]) + (f", … ({len(names)} in all)" if len(names) > 12 else "")
    close = difflib.get_close_matches(got[:_LONGEST_VALUE], names[:_MOST_NAMES_COMPARED], n=1, cutoff=0.5)
    return f"known: {listed}." + (f" Did you mean '{close[0]}'?" if close else "")
