#!/usr/bin/python3 -I
"""Shut an application's port to new connections before it is stopped, and open it again once it is healthy.

A server that is stopped cuts the requests it is answering, and a proxy must not send twice what may have
changed something. So new connections are refused first, which a proxy takes as word to ask the next server,
and the stop waits until those that are open have ended. Other hosts are meant: loopback, by which health is
asked, stays open.

    steward-app-door drain PORT SECONDS   refuse, and wait until no connection is open, at most so long
    steward-app-door drained PORT         the service is down: its port needs no guard any more
    steward-app-door hold PORT SECONDS    refuse until `admit`; at most so long, whatever becomes of who asked
    steward-app-door admit PORT
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator

TABLE = "inet steward_app"
SETS = {"drain": "draining", "drained": "draining", "hold": "held", "admit": "held"}
POLL = 0.05  # seconds
STOPPING = 30  # seconds that a shut port outlasts the wait: the unit's own time to stop
ESTABLISHED, REQUESTED = "01", "03"  # states of /proc/net/tcp; the kernel's TCP_ESTABLISHED and TCP_SYN_RECV
SOCKETS = ("/proc/net/tcp", "/proc/net/tcp6")


def rules() -> Iterator[str]:
    """A table of its own, before the fleet's; written whole in one transaction with what follows."""
    yield f"add table {TABLE}"
    for name in ("draining", "held"):
        yield f"add set {TABLE} {name} {{ type inet_service; flags timeout; }}"
    yield f"add chain {TABLE} input {{ type filter hook input priority filter - 20; policy accept; }}"
    yield f"flush chain {TABLE} input"
    for name in ("draining", "held"):
        outside = f"tcp dport @{name} tcp flags & (fin | syn | rst | ack) == syn reject with tcp reset"
        yield f"add rule {TABLE} input ip daddr != 127.0.0.0/8 {outside}"
        yield f"add rule {TABLE} input ip6 daddr != ::1 {outside}"


def shut(name: str, port: int, seconds: int) -> Iterator[str]:
    """Put a port into a set for a time; one that is there gets the new time."""
    yield from lift(name, port)
    yield f"add element {TABLE} {name} {{ {port} timeout {seconds}s }}"


def lift(name: str, port: int) -> Iterator[str]:
    """Take a port out of a set, whether it is in there or not."""
    yield from rules()
    yield f"add element {TABLE} {name} {{ {port} }}"
    yield f"delete element {TABLE} {name} {{ {port} }}"


def nft(lines: Iterable[str]) -> None:
    """All of it or nothing."""
    subprocess.run(["/usr/sbin/nft", "-f", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def loopback(address: str) -> bool:
    """Whether an address of /proc/net/tcp or tcp6 is loopback; words of 32 bits, little-endian."""
    plain = b"".join(bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8))
    mapped = plain[12:] if plain[:12] == bytes(10) + b"\xff\xff" else plain
    return mapped[:1] == b"\x7f" if len(mapped) == 4 else mapped == bytes(15) + b"\x01"


def open_connections(lines: Iterable[str], port: int) -> int:
    """Connections of other hosts to a port that are open or about to be."""
    found = 0
    for line in lines:
        fields = line.split()
        if len(fields) < 4 or ":" not in fields[1]:
            continue
        address, _, local = fields[1].partition(":")
        mine = int(local, 16) == port and not loopback(address)
        found += mine and fields[3] in {ESTABLISHED, REQUESTED}
    return found


def sockets() -> Iterator[str]:
    """The kernel's table of TCP connections; a host without IPv6 has but one."""
    for path in SOCKETS:
        try:
            with open(path, encoding="ascii") as table:
                yield from table
        except FileNotFoundError:
            continue


def drain(port: int, seconds: int) -> None:
    """Wait until what is being answered is answered; what takes longer is cut."""
    until = time.monotonic() + seconds
    while left := open_connections(sockets(), port):
        if time.monotonic() > until:
            print(f"{left} connections to port {port} are still open after {seconds} s; they are cut")
            return
        time.sleep(POLL)


def main(verb: str, port: int, seconds: int = 0) -> None:
    """Do one of the four."""
    if verb in {"drain", "hold"}:
        nft(shut(SETS[verb], port, seconds + (STOPPING if verb == "drain" else 0)))
    else:
        nft(lift(SETS[verb], port))
    if verb == "drain":
        drain(port, seconds)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
