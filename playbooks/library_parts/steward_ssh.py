"""How this host is reached by SSH: who speaks to it now, and whose configuration counts first. Reads only."""

from __future__ import annotations

import fnmatch
import glob
import ipaddress
import os
import struct
from collections.abc import Iterable

CONFIG = "/etc/ssh/sshd_config"
_ESTABLISHED = "01"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def peers(tables: Iterable[str], port: int) -> list[Address]:
    """Who has a connection to this port now (lines of /proc/net/tcp and tcp6), loopback left out."""
    found: set[Address] = set()
    for line in tables:
        parts = line.split()
        if len(parts) < 4 or parts[3] != _ESTABLISHED:
            continue
        if int(parts[1].rpartition(":")[2], 16) == port:
            found.add(_address(parts[2].rpartition(":")[0]))
    return sorted((each for each in found if not each.is_loopback), key=str)


def _address(text: str) -> Address:
    """An address as the kernel prints it: words of 32 bits, each in the machine's own order."""
    raw = b"".join(struct.pack("=I", int(text[at : at + 8], 16)) for at in range(0, len(text), 8))
    if len(raw) == 4:
        return ipaddress.IPv4Address(raw)
    address = ipaddress.IPv6Address(raw)
    return address.ipv4_mapped or address


def admits(openings: Iterable[str], found: Iterable[Address]) -> bool:
    """Whether one of the peers comes from one of these addresses or networks; True where nobody is there."""
    networks = [ipaddress.ip_network(each, strict=False) for each in openings]
    known = list(found)
    return not known or any(peer in network for peer in known for network in networks)


def comes_first(own: str) -> bool:
    """Whether sshd reads this file before every other: sshd keeps the first value that it meets."""
    with open(CONFIG, encoding="utf-8", errors="replace") as source:
        lines = [line.split() for line in source if line.strip() and not line.lstrip().startswith("#")]
    if not lines or lines[0][0].lower() != "include":
        return False
    pattern = lines[0][1].strip('"') if len(lines[0]) == 2 else ""
    absolute = pattern if pattern.startswith("/") else os.path.join("/etc/ssh", pattern)
    found = sorted({*glob.glob(absolute), own}) if fnmatch.fnmatchcase(own, absolute) else []
    return bool(found) and found[0] == own
