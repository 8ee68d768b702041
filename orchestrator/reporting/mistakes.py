"""Mistakes of a fleet file for a window: beside their places where there is room, else below them."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.reporting.columns import columns, laid
from orchestrator.reporting.escape import terminal_line
from stacks.fleet.mistakes import FleetInvalid, Mistake, head, where

_WIDEST_PLACE = 34
_NARROWEST_MESSAGE = 40
_INDENT = "    "


def mistakes_text(problem: FleetInvalid, width: int) -> str:
    """What `str` says of them, in lines of at most `width` columns where words allow it."""
    beside = min(max((columns(each.path) for each in problem.mistakes), default=0), _WIDEST_PLACE)
    if width - beside - len(_INDENT) < _NARROWEST_MESSAGE:
        beside = 0
    lines = [*laid(head(problem).split(" "), width, then=_INDENT), ""]
    for mistake in problem.mistakes:
        lines += _row(mistake, beside, width)
    return "\n".join(map(terminal_line, lines))


def _row(mistake: Mistake, beside: int, width: int) -> Iterator[str]:
    """One mistake; a place that is wider than its column has lines of its own, broken between its steps."""
    place, then = f"  {mistake.path}", " " * (beside + len(_INDENT))
    first = f"{place}{' ' * (columns(then) - columns(place))}"
    if columns(mistake.path) > beside:
        steps = mistake.path.replace(".", ".\0").split("\0")
        yield from laid(steps, width, first="  ", then=_INDENT, between="")
        first = then
    words = mistake.message.split(" ")
    yield from laid([*words, where(mistake)[1:]] if where(mistake) else words, width, first=first, then=then)
