"""Pure choices of addresses and ports, and the questions asked about subnets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from ipaddress import IPv4Address, IPv4Network
from itertools import chain
from typing import TypeVar

from stacks.providers.local.errors import LocalError

T = TypeVar("T")

PORTS = range(20000, 30000)
"""Below the kernel's ephemeral range, so no outgoing connection takes a stopped server's port."""


def gateway_of(cidr: str) -> str:
    """The first host of the network: the control machine's own address on it."""
    return str(IPv4Network(cidr)[1])


def cidr_problem(cidr: str) -> str:
    """Why the text is no usable network, or nothing."""
    try:
        network = IPv4Network(cidr)
    except ValueError as error:
        return f"is no IPv4 network: {error}."
    if not 8 <= network.prefixlen <= 29:
        return f"must have a prefix from /8 to /29, got /{network.prefixlen}."
    if network.is_loopback or network.is_multicast or network.is_link_local or network.is_unspecified:
        return f"must be a unicast network, got {cidr}."
    return ""


def address_problem(address: str, cidr: str) -> str:
    """Why a server cannot have this address on this network, or nothing."""
    network = IPv4Network(cidr)
    try:
        wanted = IPv4Address(address)
    except ValueError:
        return f"must be an IPv4 address, got {address!r}."
    if wanted not in network or wanted in (network.network_address, network.broadcast_address):
        return f"must be a host of {cidr}, got {address}."
    if str(wanted) == gateway_of(cidr):
        return f"{address} is the gateway of {cidr}; take another one."
    return ""


def hardware_address(address: str) -> str:
    """The MAC address that goes with an IP address.

    Podman would draw another one at every start, and neighbours that remember the old one cannot reach a
    restarted server for half a minute.
    """
    return ":".join(f"{byte:02x}" for byte in (0x02, 0x57, *IPv4Address(address).packed))


def free_address(subject: str, cidr: str, used: Collection[str]) -> str:
    """The lowest free host, first in the upper half: people give fixed addresses low numbers."""
    network = IPv4Network(cidr)
    hosts = network.num_addresses - 1
    for offset in chain(range(network.num_addresses // 2, hosts), range(2, network.num_addresses // 2)):
        candidate = str(network[offset])
        if candidate not in used:
            return candidate
    raise LocalError(
        subject,
        f"no free address is left in {cidr}",
        place="address",
        next_step="Give the network a wider cidr, or remove servers.",
    )


def free_port(subject: str, urn: str, salt: str, take: Callable[[int], T | None]) -> T:
    """What `take` gives for the first port it accepts, searched from a place that follows from the URN."""
    start = int.from_bytes(hashlib.sha256(f"{urn} {salt}".encode()).digest()[:4], "big")
    for offset in range(len(PORTS)):
        taken = take(PORTS[(start + offset) % len(PORTS)])
        if taken is not None:
            return taken
    raise LocalError(
        subject,
        f"no free port is left between {PORTS.start} and {PORTS.stop - 1}",
        place="sshPort",
        next_step="Remove servers, or end the programs that listen there.",
    )


def routes(table: str) -> list[tuple[str, IPv4Network]]:
    """Networks the machine routes, by interface, from the text of /proc/net/route, without the default."""
    found = []
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) < 8 or columns[7] == "00000000":
            continue
        place, mask = (int.from_bytes(bytes.fromhex(columns[n])[::-1], "big") for n in (1, 7))
        found.append((columns[0], IPv4Network((place, mask.bit_count()))))
    return found
