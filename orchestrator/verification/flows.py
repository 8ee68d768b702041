"""Every flow between servers that could be tried, and whether the fleet allows it. Pure: no looking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from orchestrator.inventory.build import source_addresses
from orchestrator.verification.listening import Listening, Port, Protocol
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, ServerOutput

SSH: Port = ("tcp", 22)
UNUSED: tuple[Port, ...] = (("tcp", 9), ("udp", 9))
"""Ports of a service that nobody runs: an answer from one shows that the rest is not dropped."""


class SourceKind(StrEnum):
    SERVER = "server"
    FOREIGN = "foreign"
    CONTROL = "control"


@dataclass(frozen=True)
class Source:
    """A place to look from; the control machine has another address on each network, so none here."""

    name: str
    kind: SourceKind
    address: str = ""
    network: str = ""


CONTROL = Source("control machine", SourceKind.CONTROL)


@dataclass(frozen=True)
class Flow:
    """One thing to try: from where, at which address and port, and what must come of it."""

    source: Source
    target: str
    protocol: Protocol
    port: int
    address: str
    allowed: bool
    listens: bool
    """Whether the target says that something listens there."""
    dial: int = 0
    """The port to connect to, where it is another one: one published on the control machine."""

    @property
    def is_v6(self) -> bool:
        """Whether it is tried over IPv6, which no fleet allows."""
        return ":" in self.address


def flows(
    fleet: Fleet, outputs: FleetOutputs, listening: Mapping[str, Listening], foreign: Sequence[Source] = ()
) -> list[Flow]:
    """The whole matrix: every source to every other server of the fleet, on every port anything uses."""
    servers = [server for server in outputs.servers if server.name in listening]
    inside = [Source(s.name, SourceKind.SERVER, s.address, s.network) for s in servers]
    ports = ports_in_use(fleet, listening)
    return [
        flow
        for source in [*inside, *foreign, CONTROL]
        for target in servers
        if source.name != target.name
        for flow in _flows_between(fleet, outputs, source, target, ports, listening[target.name])
    ]


def ports_in_use(fleet: Fleet, listening: Mapping[str, Listening]) -> list[Port]:
    """Every port that anything listens on or that the fleet opens, SSH, and ones that nobody uses."""
    found: set[Port] = {SSH, *UNUSED}
    found |= {(rule.protocol, rule.port) for server in fleet.servers.values() for rule in server.ingress}
    found |= {port for seen in listening.values() for port in seen.ports}
    return sorted(found, key=lambda port: (port[1], port[0]))


def _flows_between(
    fleet: Fleet,
    outputs: FleetOutputs,
    source: Source,
    target: ServerOutput,
    ports: Sequence[Port],
    seen: Listening,
) -> Iterator[Flow]:
    neighbours = source.kind is SourceKind.SERVER and source.network == target.network
    v6 = [each for each in seen.addresses_v6 if neighbours or not each.startswith("fe80:")]
    for protocol, port in ports:
        listens = (protocol, port) in seen.ports
        allowed = allows(fleet, outputs, source, target, (protocol, port))
        yield Flow(source, target.name, protocol, port, target.address, allowed, listens)
        for address in v6:
            yield Flow(source, target.name, protocol, port, address, False, listens)
    if source.kind is SourceKind.CONTROL:
        for inner, dial in target.published.items():
            listens = ("tcp", int(inner)) in seen.ports
            yield Flow(source, target.name, "tcp", int(inner), target.ssh_host, True, listens, dial)


def allows(fleet: Fleet, outputs: FleetOutputs, source: Source, target: ServerOutput, port: Port) -> bool:
    """Whether the fleet lets this source in; SSH is for the control machine alone."""
    gateway = outputs.network(target.network).gateway
    address = IPv4Address(source.address or gateway)
    if port == SSH and str(address) == gateway:
        return True
    return any(
        address in IPv4Network(network)
        for rule in fleet.servers[target.group].ingress
        if (rule.protocol, rule.port) == port
        for network in source_addresses(rule, outputs)
    )
