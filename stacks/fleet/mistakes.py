"""A mistake in a fleet file, told so that its reader can mend it without the manual."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST_VALUE = 60

Place = tuple[str | int, ...]
RoleCheck = Callable[[str, Mapping[str, Any]], Sequence[tuple[str, str]]]
"""Judges one use of a role, (name, variables) -> pairs of variable ('' for the role itself) and problem."""


@dataclass(frozen=True)
class Mistake:
    """Where in the file (keys and list positions), what is wrong, and the line when it is known."""

    place: Place
    message: str
    line: int | None = None

    @property
    def path(self) -> str:
        """`servers.web.ingress[0].port`"""
        text = ""
        for step in self.place:
            text += f"[{step}]" if isinstance(step, int) else (f".{shown(step)}" if text else shown(step))
        return text or "(file)"


class FleetInvalid(Exception):
    """A fleet file with mistakes; all of them, in the order of the file."""

    def __init__(self, source: str, mistakes: Iterable[Mistake]) -> None:
        self.source = source
        self.mistakes = tuple(sorted(mistakes, key=lambda each: (each.line or 0, each.path)))
        super().__init__(source)

    def __str__(self) -> str:
        count = len(self.mistakes)
        head = f"{self.source}: {count} mistake{'s' * (count != 1)}, nothing was changed"
        width = min(max((len(each.path) for each in self.mistakes), default=0), 34)
        return "\n".join([head, "", *(_row(each, width) for each in self.mistakes)])


def _row(mistake: Mistake, width: int) -> str:
    line = f"   line {mistake.line}" if mistake.line else ""
    return f"  {mistake.path:<{width}}  {mistake.message}{line}"


def shown(value: object) -> str:
    """A value as an error message may show it: printable, on one line, short."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[: _LONGEST_VALUE + 1])
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def nearest(got: str, known: Iterable[str]) -> str:
    """`known: app, db. Did you mean 'app'?`, for a name that does not exist."""
    names = sorted(known)
    if not names:
        return "none is declared"
    listed = ", ".join(names[:12]) + (f", … ({len(names)} in all)" if len(names) > 12 else "")
    close = difflib.get_close_matches(got, names, n=1, cutoff=0.5)
    return f"known: {listed}." + (f" Did you mean '{close[0]}'?" if close else "")
