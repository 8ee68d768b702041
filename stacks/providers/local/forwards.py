"""Forwards of a server's ports to somewhere else: what a killed `podman start` leaves in the NAT table.

Podman 4 never takes them back, and the first rule counts: the port then leads to an address where nobody is.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Sequence

from stacks.providers.local.errors import LocalError
from stacks.providers.local.podman import execute

_SECONDS = 10.0
_TOOLS = ("iptables-save", "iptables-restore")
_FORWARD = re.compile(
    r"^-A (?P<rule>NETAVARK-DN-\S+ .*--dport (?P<port>\d+) -j DNAT --to-destination (?P<to>[\d.]+):\d+)$",
    re.MULTILINE,
)


def astray(saved: str, address: str, ports: Collection[int]) -> Sequence[str]:
    """Netavark's rules that lead these ports past the address, in what `iptables-save` prints."""
    return [
        found["rule"]
        for found in _FORWARD.finditer(saved)
        if int(found["port"]) in ports and found["to"] != address
    ]


def clear(subject: str, address: str, ports: Collection[int]) -> int:
    """Remove them, all or none, and say how many; raises LocalError.

    The ports are the server's own, so a forward to anybody else is nobody's. Without root or iptables there
    is nothing that could be seen.
    """
    if os.geteuid() != 0 or not all(map(shutil.which, _TOOLS)):
        return 0
    rules = astray(_saved(), address, ports)
    if not rules:
        return 0
    text = "\n".join(["*nat", *(f"-D {rule}" for rule in rules), "COMMIT", ""])
    done = execute(("iptables-restore", "--noflush", "--wait"), stdin=text.encode(), timeout=_SECONDS)
    if done.code != 0 and (left := astray(_saved(), address, ports)):  # else another process was first
        raise LocalError(
            subject,
            "a start that was killed left its ports to another address, and the rules cannot be removed",
            place="iptables -t nat",
            got=done.stderr[:200],
            next_step=f"Remove them: iptables -t nat -D {left[0]}",
        )
    return len(rules)


def _saved() -> str:
    return execute(("iptables-save", "-t", "nat"), timeout=_SECONDS).stdout.decode(errors="replace")
