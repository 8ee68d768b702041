"""The drawing for desks and paper: flows run from left to right, networks lie above each other.

Columns hold boxes and gutters hold lines, so no line can cross a box. A gutter has, from left to right,
tracks for lines that leave, tracks for lines that arrive, and a strip for labels that only the labelled line
enters. A line that has to pass a column does so in a lane below the network. Lines that say the same thing
share their way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from orchestrator.reporting.graph import Edge, Graph, Outside
from orchestrator.reporting.layout import (
    LABEL_HEIGHT,
    OUTSIDE_HEIGHT,
    OUTSIDE_WIDTH,
    PORT_STEP,
    Arrow,
    Box,
    Drawing,
    Label,
    PlacedNetwork,
    fitted,
    group_size,
    label_width,
    place_group,
    place_outside,
    port_room,
)
from orchestrator.reporting.trunks import columns_of, trunks

Key = TypeVar("Key", int, str)

_NETWORK_PAD, _NETWORK_HEAD = 20.0, 40.0
_GAP, _TRACK, _LANE = 20.0, 12.0, 14.0
_MARGIN = 2.0
# Where lines between two outside parties pass: below everything.
_NO_BAND = ""


@dataclass
class _Ways:
    """Who leaves where and which tracks and lanes that takes, before anything has a size."""

    column: dict[str, int]
    band: dict[str, str]
    trunk: dict[Edge, str]
    leaving: dict[int, list[str]] = field(default_factory=dict)
    arriving: dict[int, list[str]] = field(default_factory=dict)
    lanes: dict[str, list[str]] = field(default_factory=dict)
    exits: dict[str, list[str]] = field(default_factory=dict)
    entries: dict[str, list[str]] = field(default_factory=dict)
    direct: set[tuple[str, str]] = field(default_factory=set)

    def is_direct(self, edge: Edge) -> bool:
        return self.column[edge.source] == self.column[edge.target] - 1

    def lane_band(self, edge: Edge) -> str:
        return self.band.get(edge.source) or self.band.get(edge.target, _NO_BAND)

    def offset(self, key: str, names: list[str], name: str) -> float:
        """How far below the middle of its box a line starts or ends; direct ones keep the middle."""
        straight = sum((key, other) in self.direct for other in names)
        return (names.index(name) - max(0, straight - 1) / 2) * PORT_STEP

    def ports(self, key: str) -> int:
        """How many port steps the taller side needs, so that the lowest offset still lies inside the box."""
        need = 0
        for names in (self.exits.get(key, []), self.entries.get(key, [])):
            straight = sum((key, other) in self.direct for other in names)
            need = max(need, max(1, straight) + 2 * (len(names) - max(1, straight)) if names else 0)
        return need


def _ways(graph: Graph) -> _Ways:
    column = columns_of(graph)
    ways = _Ways(column, {group.key: group.network for group in graph.groups}, trunks(graph.edges))
    for edge in sorted(graph.edges, key=lambda edge: not ways.is_direct(edge)):
        trunk = ways.trunk[edge]
        _once(ways.arriving, column[edge.target] - 1, trunk)
        _once(ways.exits, edge.source, trunk)
        _once(ways.entries, edge.target, trunk)
        if ways.is_direct(edge):
            ways.direct |= {(edge.source, trunk), (edge.target, trunk)}
        else:
            _once(ways.leaving, column[edge.source], trunk)
            _once(ways.lanes, ways.lane_band(edge), trunk)
    return ways


def _once(lists: dict[Key, list[str]], key: Key, value: str) -> None:
    found = lists.setdefault(key, [])
    if value not in found:
        found.append(value)


def wide(graph: Graph) -> Drawing:
    """Places everything; equal graphs give equal drawings."""
    ways = _ways(graph)
    left, right = _across(graph, ways)
    boxes, networks, lanes, bottom = _bands(graph, ways, left, right)
    for parties, column in ((graph.sources, 0), (graph.sinks, max(left))):
        bottom = max(bottom, _stand(parties, left[column], ways, boxes, graph.edges))
    arrows, labels = [], {}
    for edge in graph.edges:
        arrow, label = _line(edge, ways, boxes, right, lanes)
        arrows.append(arrow)
        labels[edge.target, ways.trunk[edge]] = label
    return Drawing(
        max(right.values()) + _MARGIN,
        bottom + _MARGIN,
        networks,
        [place_group(group, boxes[group.key]) for group in graph.groups],
        [place_outside(outside, boxes[outside.key]) for outside in (*graph.sources, *graph.sinks)],
        arrows,
        list(labels.values()),
    )


def _across(graph: Graph, ways: _Ways) -> tuple[dict[int, float], dict[int, float]]:
    """The left and right edge of every column."""
    last = max([*(ways.column[group.key] for group in graph.groups), 1]) + 1
    width = {0: OUTSIDE_WIDTH if graph.sources else 0.0, last: OUTSIDE_WIDTH if graph.sinks else 0.0}
    for group in graph.groups:
        column = ways.column[group.key]
        width[column] = max(width.get(column, 0.0), group_size(group, 0)[0])
    left, right, x = {}, {}, _MARGIN
    for column in range(last + 1):
        left[column], right[column] = x, x + width.get(column, 0.0)
        tracks = len(ways.leaving.get(column, [])) + len(ways.arriving.get(column, []))
        arriving = [label_width(e.label) for e in graph.edges if ways.column[e.target] - 1 == column]
        x = right[column] + 2 * (_NETWORK_PAD + 6) + tracks * _TRACK + max(arriving, default=0.0)
    return left, right


def _bands(
    graph: Graph, ways: _Ways, left: Mapping[int, float], right: Mapping[int, float]
) -> tuple[dict[str, Box], list[PlacedNetwork], dict[tuple[str, str], float], float]:
    """Boxes of the groups network by network, with the lanes under each network."""
    boxes: dict[str, Box] = {}
    networks, lanes, y = [], {}, _MARGIN
    for name, cidr in graph.networks.items():
        cells: dict[int, list[tuple[str, float]]] = {}
        for group in graph.groups:
            if group.network == name:
                height = group_size(group, ways.ports(group.key))[1]
                cells.setdefault(ways.column[group.key], []).append((group.key, height))
        heights = {c: sum(h for _, h in cell) + _GAP * (len(cell) - 1) for c, cell in cells.items()}
        inner = max(heights.values(), default=0.0)
        for column, cell in cells.items():
            top = y + _NETWORK_HEAD + (inner - heights[column]) / 2
            for key, height in cell:
                boxes[key] = Box(left[column], top, right[column] - left[column], height)
                top += height + _GAP
        first, final = min(cells, default=1), max(cells, default=1)
        x, end = left[first] - _NETWORK_PAD, max(right[final], left[first] + 200) + _NETWORK_PAD
        frame = Box(x, y, end - x, _NETWORK_HEAD + inner + _NETWORK_PAD)
        networks.append(_network(frame, name, cidr))
        y = frame.bottom + _LANE
        for trunk in ways.lanes.get(name, []):
            lanes[name, trunk] = y
            y += _LANE
    for trunk in ways.lanes.get(_NO_BAND, []):
        lanes[_NO_BAND, trunk] = y
        y += _LANE
    return boxes, networks, lanes, y - _LANE


def _network(box: Box, name: str, cidr: str) -> PlacedNetwork:
    shown = fitted(name, (box.width - 40) / 2, 13)
    return PlacedNetwork(box, shown, fitted(cidr, (box.width - 40) / 2, 12))


def _stand(
    parties: Sequence[Outside], x: float, ways: _Ways, boxes: dict[str, Box], edges: Sequence[Edge]
) -> float:
    """Puts outside parties level with what they connect to, clear of each other; returns where they end."""
    wanted = {}
    for party in parties:
        levels = [
            _level(boxes[e.target], ways, e.target, ways.entries, ways.trunk[e])
            for e in edges
            if e.source == party.key and e.target in boxes
        ]
        levels += [
            _level(boxes[e.source], ways, e.source, ways.exits, ways.trunk[e])
            for e in edges
            if e.target == party.key and e.source in boxes and ways.is_direct(e)
        ]
        wanted[party.key] = sum(levels) / len(levels) if levels else 0.0
    bottom = _MARGIN - _GAP
    for party in sorted(parties, key=lambda party: (wanted[party.key], party.key)):
        height = max(OUTSIDE_HEIGHT, port_room(ways.ports(party.key)))
        top = max(bottom + _GAP, wanted[party.key] - height / 2)
        boxes[party.key] = Box(x, top, OUTSIDE_WIDTH, height)
        bottom = top + height
    return bottom


def _level(box: Box, ways: _Ways, key: str, sides: Mapping[str, list[str]], trunk: str) -> float:
    return box.middle + ways.offset(key, sides[key], trunk)


def _line(
    edge: Edge,
    ways: _Ways,
    boxes: Mapping[str, Box],
    right: Mapping[int, float],
    lanes: Mapping[tuple[str, str], float],
) -> tuple[Arrow, Label]:
    trunk, source, target = ways.trunk[edge], boxes[edge.source], boxes[edge.target]
    leave = _level(source, ways, edge.source, ways.exits, trunk)
    enter = _level(target, ways, edge.target, ways.entries, trunk)
    gutter = ways.column[edge.target] - 1
    arriving = _track(ways, right, gutter, ways.arriving[gutter].index(trunk), arriving=True)
    points = [(source.right, leave)]
    if ways.is_direct(edge):
        points += [] if leave == enter else [(arriving, leave), (arriving, enter)]
    else:
        column = ways.column[edge.source]
        leaving = _track(ways, right, column, ways.leaving[column].index(trunk), arriving=False)
        lane = lanes[ways.lane_band(edge), trunk]
        points += [(leaving, leave), (leaving, lane), (arriving, lane), (arriving, enter)]
    width = label_width(edge.label)
    plate = Box(target.x - _NETWORK_PAD - 4 - width, enter - LABEL_HEIGHT / 2, width, LABEL_HEIGHT)
    return Arrow(edge, [*points, (target.x, enter)]), Label(plate, edge.label, edge.backup)


def _track(ways: _Ways, right: Mapping[int, float], gutter: int, index: int, *, arriving: bool) -> float:
    before = len(ways.leaving.get(gutter, [])) if arriving else 0
    return right[gutter] + _NETWORK_PAD + (before + index + 0.75) * _TRACK
