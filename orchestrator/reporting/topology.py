"""The topology as SVG: one drawing for wide screens and paper, one for phones, from the same graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.reporting.graph import build, described
from orchestrator.reporting.layout import Drawing, Tile
from orchestrator.reporting.model import Report
from orchestrator.reporting.stacked import stacked
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.wide import wide

_RADIUS = 7.0
_HEAD = 8.0


@dataclass(frozen=True)
class Topology:
    """What the SVG template draws; `words` says the same to those who cannot see it."""

    wide: Drawing
    stacked: Drawing
    words: str
    empty: bool


def topology(report: Report) -> Topology:
    """Both drawings of a report; equal reports give equal drawings."""
    graph = build(report)
    return Topology(wide(graph), stacked(graph), described(graph), not graph.groups)


def line(points: Sequence[tuple[float, float]]) -> str:
    """An SVG path through the points with rounded corners, ending where the head of the arrow begins."""
    ends = [*points[:-1], _short_of(points[-2], points[-1], _HEAD - 1)]
    parts = [f"M{_at(ends[0])}"]
    for before, corner, after in zip(ends, ends[1:], ends[2:], strict=False):
        radius = min(_RADIUS, _distance(before, corner) / 2, _distance(corner, after) / 2)
        parts.append(
            f"L{_at(_short_of(before, corner, radius))}Q{_at(corner)} {_at(_short_of(after, corner, radius))}"
        )
    return "".join([*parts, f"L{_at(ends[-1])}"])


def tile_path(tiles: Sequence[Tile]) -> str:
    """All healthy tiles as one path: a thousand servers in a few kilobytes."""
    return "".join(
        f"M{tile.x:g},{tile.y:g}h{tile.side:g}v{tile.side:g}h-{tile.side:g}z"
        for tile in tiles
        if tile.card.tone is Tone.GOOD
    )


def head(points: Sequence[tuple[float, float]]) -> str:
    """The corners of the arrow's head at the last point; last stretches are always level."""
    (before, _), (x, y) = points[-2], points[-1]
    back = x - _HEAD if before < x else x + _HEAD
    return f"{_at((x, y))} {_at((back, y - _HEAD / 2))} {_at((back, y + _HEAD / 2))}"


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _short_of(start: tuple[float, float], end: tuple[float, float], by: float) -> tuple[float, float]:
    """The point `by` before `end` on the level or upright stretch from `start`."""
    length = _distance(start, end) or 1.0
    share = (length - by) / length
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def _at(point: tuple[float, float]) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
