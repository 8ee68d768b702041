"""Which column a group stands in, and which arrows share their way: the decisions both layouts start from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil

from orchestrator.reporting.graph import Edge, Graph

MOST_COLUMNS = 3
_MOST_STACKED = 4


def columns_of(graph: Graph) -> dict[str, int]:
    """The column of every key: sources 0, groups from 1 along the flows, sinks after the last group."""
    column = _spread(graph, _layers(graph))
    last = max(column.values(), default=1) + 1
    return {
        **column,
        **{outside.key: 0 for outside in graph.sources},
        **{outside.key: last for outside in graph.sinks},
    }


def _layers(graph: Graph) -> dict[str, int]:
    """Groups one layer after those they take connections from; where flows run in a ring, names decide."""
    waiting = [group.key for group in graph.groups]
    flows = {(e.source, e.target) for e in graph.edges if not e.backup and e.source != e.target}
    placed: dict[str, int] = {}
    layer = 1
    while waiting:
        ready = [key for key in waiting if not any((other, key) in flows for other in waiting)] or waiting[:1]
        placed |= {key: min(layer, MOST_COLUMNS) for key in ready}
        waiting = [key for key in waiting if key not in ready]
        layer += 1
    return placed


def _spread(graph: Graph, layers: dict[str, int]) -> dict[str, int]:
    """The same layers, with stacks that grow too high carried over into the next columns."""
    column = dict(layers)
    for network in graph.networks:
        members = [group.key for group in graph.groups if group.network == network]
        limit = max(_MOST_STACKED, ceil(len(members) / MOST_COLUMNS))
        for here in range(1, MOST_COLUMNS):
            for key in [key for key in members if column[key] == here][limit:]:
                column[key] = here + 1
    return column


def trunks(edges: Sequence[Edge]) -> dict[Edge, str]:
    """The way each arrow shares: with others into its target, else with others out of its source."""
    into = Counter((edge.target, edge.label) for edge in edges)
    return {
        edge: f"to {edge.target} {edge.label}"
        if into[edge.target, edge.label] > 1
        else f"from {edge.source} {edge.label}"
        for edge in edges
    }
