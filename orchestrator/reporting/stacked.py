"""The drawing for phones: everything below each other, arrows as brackets on the right.

Boxes end at one line; right of it lies a strip for labels that only the labelled line enters, then the lanes.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.reporting.graph import Edge, Graph
from orchestrator.reporting.layout import (
    LABEL_HEIGHT,
    PORT_STEP,
    Arrow,
    Box,
    Drawing,
    Label,
    PlacedGroup,
    PlacedNetwork,
    PlacedOutside,
    fitted,
    group_size,
    label_width,
    place_group,
    place_outside,
    port_room,
)
from orchestrator.reporting.trunks import columns_of, trunks

_WIDTH, _PAD, _HEAD, _GAP, _LANE = 246.0, 14.0, 36.0, 22.0, 12.0
_OUTSIDE_HEIGHT = 60.0
_MARGIN = 2.0


def stacked(graph: Graph) -> Drawing:
    """Places everything in one column; equal graphs give equal drawings."""
    trunk, column = trunks(graph.edges), columns_of(graph)
    ports = _ports(graph, trunk)
    groups: list[PlacedGroup] = []
    networks: list[PlacedNetwork] = []
    outsides: list[PlacedOutside] = []
    x, width, y = _MARGIN + _PAD, _WIDTH, _MARGIN
    for outside in graph.sources:
        height = max(_OUTSIDE_HEIGHT, port_room(len(ports.get(outside.key, []))))
        outsides.append(place_outside(outside, Box(x, y, width, height)))
        y += height + _GAP
    for name, cidr in graph.networks.items():
        top = y
        y += _HEAD
        members = [group for group in graph.groups if group.network == name]
        for group in sorted(members, key=lambda group: (column[group.key], group.key)):
            height = group_size(group, len(ports.get(group.key, [])), most_across=2)[1]
            groups.append(place_group(group, Box(x, y, width, height), most_across=2))
            y += height + _PAD
        frame = Box(_MARGIN, top, width + 2 * _PAD, y - top)
        networks.append(PlacedNetwork(frame, fitted(name, 110, 13), fitted(cidr, 110, 12)))
        y += _GAP
    for outside in graph.sinks:
        height = max(_OUTSIDE_HEIGHT, port_room(len(ports.get(outside.key, []))))
        outsides.append(place_outside(outside, Box(x, y, width, height)))
        y += height + _GAP
    boxes = {group.group.key: group.box for group in groups} | {o.outside.key: o.box for o in outsides}
    arrows, labels, right = _brackets(graph, trunk, ports, boxes)
    return Drawing(right + _MARGIN, y - _GAP + _MARGIN, networks, groups, outsides, arrows, labels)


def _ports(graph: Graph, trunk: Mapping[Edge, str]) -> dict[str, list[str]]:
    """The lines at each box from top to bottom: what arrives, then what leaves."""
    ports: dict[str, list[str]] = {}
    for key, name in [
        *((edge.target, f"in {trunk[edge]}") for edge in graph.edges),
        *((edge.source, f"out {trunk[edge]}") for edge in graph.edges),
    ]:
        found = ports.setdefault(key, [])
        if name not in found:
            found.append(name)
    return ports


def _brackets(
    graph: Graph, trunk: Mapping[Edge, str], ports: Mapping[str, list[str]], boxes: Mapping[str, Box]
) -> tuple[list[Arrow], list[Label], float]:
    def level(key: str, name: str) -> float:
        return boxes[key].middle + (ports[key].index(name) - (len(ports[key]) - 1) / 2) * PORT_STEP

    ends = {
        edge: (level(edge.source, f"out {trunk[edge]}"), level(edge.target, f"in {trunk[edge]}"))
        for edge in graph.edges
    }
    lane = _lanes({edge: trunk[edge] for edge in graph.edges}, ends)
    edge_of_frame = _MARGIN + 2 * _PAD + _WIDTH
    room = max((label_width(edge.label) for edge in graph.edges), default=0.0)
    first = edge_of_frame + 8 + room + 10
    arrows, labels = [], {}
    for edge in graph.edges:
        leave, enter = ends[edge]
        x = first + lane[trunk[edge]] * _LANE
        source, target = boxes[edge.source], boxes[edge.target]
        points = [(source.right, leave), (x, leave), (x, enter), (target.right, enter)]
        arrows.append(Arrow(edge, points))
        plate = Box(edge_of_frame + 8, enter - LABEL_HEIGHT / 2, label_width(edge.label), LABEL_HEIGHT)
        labels[edge.target, trunk[edge]] = Label(plate, edge.label, edge.backup)
    right = first + max(lane.values(), default=0) * _LANE + 2 if graph.edges else edge_of_frame
    return arrows, list(labels.values()), right


def _lanes(trunk: Mapping[Edge, str], ends: Mapping[Edge, tuple[float, float]]) -> dict[str, int]:
    """A lane for each shared way; short ways lie inside, and two in one lane never overlap."""
    reach: dict[str, tuple[float, float]] = {}
    for edge, name in trunk.items():
        low, high = sorted(ends[edge])
        known = reach.get(name, (low, high))
        reach[name] = (min(low, known[0]), max(high, known[1]))
    taken: list[list[tuple[float, float]]] = []
    lane: dict[str, int] = {}
    for name, (low, high) in sorted(reach.items(), key=lambda item: (item[1][1] - item[1][0], item[0])):
        free = [i for i, spans in enumerate(taken) if all(high + 8 < a or b + 8 < low for a, b in spans)]
        if not free:
            taken.append([])
        lane[name] = free[0] if free else len(taken) - 1
        taken[lane[name]].append((low, high))
    return lane
