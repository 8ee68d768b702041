"""What a host says it listens on, from the kernel's own tables. Pure; the host may lie, so all is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Literal

Protocol = Literal["tcp", "udp"]
Port = tuple[Protocol, int]

TABLES = ("tcp", "tcp6", "udp", "udp6")
LISTENING_ARGV = ["tail", "--verbose", "--lines=+1", *(f"/proc/net/{name}" for name in (*TABLES, "if_inet6"))]
CONNECTIONS_ARGV = ["sudo", "-n", "cat", "/proc/net/nf_conntrack"]

MOST_PORTS = 256
"""More than this of one host are not probed, and said so."""
_MOST_ADDRESSES = 8
_TCP_LISTENS, _UDP_WAITS = "0A", "07"
_LOOPBACK_V6 = "0" * 24 + "01000000"
_MAPPED_LOOPBACK_V6 = "0" * 16 + "FFFF0000"


@dataclass(frozen=True)
class Listening:
    """Ports that are open to more than the loopback, and the IPv6 addresses at which they could be asked."""

    ports: tuple[Port, ...]
    addresses_v6: tuple[str, ...]
    left_out: int = 0
    """How many ports the host claims beyond MOST_PORTS."""


def read_listening(text: str) -> Listening:
    """The output of LISTENING_ARGV; a table that the kernel does not have is empty."""
    found: set[Port] = set()
    addresses: list[str] = []
    for table, line in _lines(text):
        words = line.split()
        if table == "if_inet6" and len(words) == 6 and words[5] != "lo":
            addresses.append(_address_v6(words[0]))
        elif table in TABLES and len(words) > 3 and words[0].endswith(":"):
            found |= set(_port(table, words[1], words[2], words[3]))
    ports = sorted(found, key=lambda port: (port[1], port[0]))
    return Listening(
        tuple(ports[:MOST_PORTS]), tuple(addresses[:_MOST_ADDRESSES]), max(0, len(ports) - MOST_PORTS)
    )


def _lines(text: str) -> Iterator[tuple[str, str]]:
    table = ""
    for line in text.splitlines():
        if line.startswith("==> /proc/net/"):
            table = line.removeprefix("==> /proc/net/").split(" ", 1)[0]
        else:
            yield table, line


def _port(table: str, local: str, remote: str, state: str) -> Iterator[Port]:
    protocol: Protocol = "tcp" if table.startswith("tcp") else "udp"
    address, _, port = local.partition(":")
    waits = state == (_TCP_LISTENS if protocol == "tcp" else _UDP_WAITS) and remote.endswith(":0000")
    v6_loopback = address == _LOOPBACK_V6 or (
        address.startswith(_MAPPED_LOOPBACK_V6) and address[-2:] == "7F"
    )
    v4_loopback = len(address) == 8 and address.endswith("7F")
    if waits and not (v4_loopback or v6_loopback):
        yield protocol, int(port, 16)


def _address_v6(digits: str) -> str:
    return str(IPv6Address(int(digits, 16)))


def let_through(table: str, address: str, from_port: int, source: str = "") -> frozenset[int]:
    """UDP ports of this address at which datagrams from that port (and source, where known) were let in.

    What a firewall drops leaves no entry in the table of connections.
    """
    wanted, found = ip_address(address), set()
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 6 or fields[0] not in ("ipv4", "ipv6") or fields[2] != "udp":
            continue
        first: dict[str, str] = {}
        for key, _, value in (word.partition("=") for word in fields[5:]):
            first.setdefault(key, value)
        try:
            same = ip_address(first["dst"]) == wanted and source in ("", first["src"])
            if same and first["sport"] == str(from_port):
                found.add(int(first["dport"]))
        except (KeyError, ValueError):
            continue  # a line of another shape says nothing of ours
    return frozenset(found)
