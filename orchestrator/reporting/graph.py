"""What the topology drawing is about, before anything has a place: groups, outside parties, arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.reporting.escape import visible
from orchestrator.reporting.humanise import listed, number, plural
from orchestrator.reporting.model import FleetServer, Report, Server
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.verdict import WORDS, server_tones

ANYWHERE = "anywhere"
MOST_VOLUMES = 3
MOST_GROUPS, MOST_NETWORKS = 24, 16
"""Beyond so many groups a network is drawn as one box, beyond so many networks the fleet is."""
MOST_NAMED = 12
"""Servers of a group that the words for the drawing name one by one."""
Party = Literal["internet", "network", "vault"]


@dataclass(frozen=True)
class Card:
    """One server as drawn."""

    name: str
    address: str
    facts: str
    volumes: Sequence[str]
    tone: Tone


@dataclass(frozen=True)
class Group:
    """Servers that share a role; arrows end here, because rules are written for groups."""

    key: str
    name: str
    title: str
    network: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class Outside:
    """A party that is not of this stack: the internet, another network, or the store of the backups."""

    key: str
    title: str
    note: str
    party: Party


@dataclass(frozen=True)
class Edge:
    """An allowed flow or a backup path between two keys."""

    source: str
    target: str
    label: str
    backup: bool = False


@dataclass(frozen=True)
class Graph:
    """Everything to be drawn; `networks` maps a name to its CIDR."""

    networks: Mapping[str, str]
    groups: Sequence[Group]
    sources: Sequence[Outside]
    sinks: Sequence[Outside]
    edges: Sequence[Edge]


def build(report: Report) -> Graph:
    """The graph of one report; equal reports give equal graphs, in a fixed order."""
    tones, places = server_tones(report), _places(report)
    grouped: dict[_Place, list[FleetServer]] = {}
    for server in _drawn(report):
        grouped.setdefault(places[server.network, server.group], []).append(server)
    groups = [
        Group(
            place.key,
            place.name,
            f"{place.name} × {len(members)}" if len(members) > 1 else place.name,
            place.network,
            [_card(s, tones) for s in members],
        )
        for place, members in sorted(grouped.items())
    ]
    known = {network.name: network.cidr for network in report.networks}
    inhabited = sorted({group.network for group in groups})
    empty = sorted(set(known) - set(inhabited))
    drawn = [*inhabited, *empty[: max(0, MOST_NETWORKS - len(inhabited))]]
    edges = _edges(report, places)
    ends = {group.key for group in groups}
    return Graph(
        networks={name: known.get(name, "") for name in sorted(drawn)},
        groups=groups,
        sources=[_outside(key) for key in sorted({edge.source for edge in edges} - ends)],
        sinks=[_outside(key) for key in sorted({edge.target for edge in edges} - ends)],
        edges=edges,
    )


@dataclass(frozen=True, order=True)
class _Place:
    """Where servers are drawn: their group, or what stands for it where there are too many."""

    network: str
    name: str

    @property
    def key(self) -> str:
        return f"group:{self.network}:{self.name}"


def _places(report: Report) -> dict[tuple[str, str], _Place]:
    """The place of each (network, group)."""
    pairs = {(server.network, server.group) for server in _drawn(report)}
    networks = {network for network, _ in pairs}
    if len(networks) > MOST_NETWORKS:
        return {
            pair: _Place(f"{len(networks)} networks", f"{len(pairs)} groups of servers") for pair in pairs
        }
    if len(pairs) <= MOST_GROUPS:
        return {pair: _Place(*pair) for pair in pairs}
    held = {name: plural(sum(network == name for network, _ in pairs), "group") for name in networks}
    return {(network, group): _Place(network, f"{held[network]} of servers") for network, group in pairs}


def _drawn(report: Report) -> Sequence[FleetServer]:
    """The servers that exist; where nobody looked, those that the fleet describes."""
    return report.servers if report.servers_looked_at else report.fleet_servers


def _card(server: FleetServer, tones: Mapping[str, Tone]) -> Card:
    size = f"{number(server.cpus)} CPU · {number(server.memory_gib)} GiB"
    facts = f"{', '.join(server.roles)} · {size}" if server.roles else size
    volumes = tuple(server.volumes)
    if len(volumes) > MOST_VOLUMES:
        volumes = (*volumes[: MOST_VOLUMES - 1], f"and {len(volumes) - MOST_VOLUMES + 1} more volumes")
    address = server.address if isinstance(server, Server) else "not looked at"
    return Card(server.name, address, facts, volumes, tones.get(server.name, Tone.UNKNOWN))


def _edges(report: Report, places: Mapping[tuple[str, str], _Place]) -> list[Edge]:
    """Flows with the same two ends share one arrow; a backup path exists for each plan that a group has."""
    of_group: dict[str, list[str]] = {}
    for (_, group), place in sorted(places.items()):
        of_group.setdefault(group, []).append(place.key)
    of_server = {server.name: places[server.network, server.group].key for server in _drawn(report)}
    merged = any(place.name != group for (_, group), place in places.items())

    def ends(name: str, side: str) -> list[str]:
        if name in of_group:
            return of_group[name]
        return [of_server[name]] if name in of_server else [f"{side}:{name}"]

    ports: dict[tuple[str, str], set[tuple[int, str]]] = {}
    for flow in report.flows:
        for source in ends(flow.source, "from"):
            for target in ends(flow.target, "to"):
                if not (merged and source == target):
                    ports.setdefault((source, target), set()).add((flow.port, flow.protocol))
    edges = [Edge(source, target, _ports(found)) for (source, target), found in sorted(ports.items())]
    paths = set()
    for backup in report.backups:
        if backup.server in of_server and backup.repository:
            source = of_server[backup.server]
            target = ends(backup.repository, "vault")[0]
            if target != source:
                paths.add((source, target))
    return edges + [Edge(source, target, "backup", backup=True) for source, target in sorted(paths)]


def _ports(found: set[tuple[int, str]]) -> str:
    words = [str(port) if protocol == "tcp" else f"{port}/{protocol}" for port, protocol in sorted(found)]
    return ", ".join(words[:2]) + (f" +{len(words) - 2}" if len(words) > 2 else "")


def _outside(key: str) -> Outside:
    side, name = key.split(":", 1)
    if side == "vault":
        title, note = _named(name)
        return Outside(key, title, note or "backup store", "vault")
    if name == ANYWHERE:
        return Outside(key, "Internet", ANYWHERE, "internet")
    title, note = _named(name)
    return Outside(key, title, note, "network")


def _named(name: str) -> tuple[str, str]:
    """`10.42.0.0/24 (acme-vault)` as title and note, `acme-vault/vault` as repository and its stack."""
    title, opened, note = name.partition(" (")
    if opened:
        return title, note.removesuffix(")")
    stack, slash, repository = name.partition("/")
    return (repository, f"stack {stack}") if slash and not stack[:1].isdigit() else (name, "")


def described(graph: Graph) -> str:
    """The drawing in words, for those who cannot see it."""
    titles = {group.key: group.title for group in graph.groups}
    titles |= {
        outside.key: f"{outside.title} {outside.note}".strip() for outside in (*graph.sources, *graph.sinks)
    }
    networks = [
        f"Network {name} {cidr} holds {_held([g for g in graph.groups if g.network == name])}."
        for name, cidr in graph.networks.items()
    ]
    flows = [
        f"{titles[edge.source]} {'sends backups' if edge.backup else 'may connect'} to {titles[edge.target]}"
        + ("." if edge.backup else f" on port {edge.label}.")
        for edge in graph.edges
    ]
    return visible(" ".join([*networks, *flows]))


def _held(groups: Sequence[Group]) -> str:
    return ", ".join(_members(group) for group in groups) or "no servers"


def _members(group: Group) -> str:
    if len(group.cards) > MOST_NAMED:
        return f"{group.title} ({standings(group.cards)})"
    return ", ".join(f"{card.name} ({card.address})" for card in group.cards)


def standings(cards: Sequence[Card], *, brief: bool = False) -> str:
    """How many servers stand how, worst first: `1 not healthy: web-4 · 97 healthy`.

    `brief` leaves out the healthy where others are told, because the title has the sum.
    """
    parts: list[str] = []
    for tone in (Tone.BAD, Tone.UNKNOWN, Tone.GOOD):
        names = [card.name for card in cards if card.tone is tone]
        told = f": {listed(names)}" if tone is Tone.BAD else ""
        if names and not (brief and parts and tone is Tone.GOOD):
            parts.append(f"{len(names)} {WORDS[tone]}{told}")
    return " · ".join(parts)
