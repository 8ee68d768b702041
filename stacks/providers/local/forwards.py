"""Forwards that a `podman start` left in the NAT table when it was killed, and that hold a server's ports.

Podman 4 never takes them back, and the first rule counts: the port then leads to an address where nobody is,
or to the right one without the mark by which answers find back.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from stacks.providers.local.errors import LocalError
from stacks.providers.local.podman import execute

_SECONDS = 10.0
_TOOLS = ("iptables-save", "iptables-restore")
_ID = re.compile(r'--comment "dnat name: \S+ id: (?P<container>[0-9a-f]{64})"')
_RULE = re.compile(
    r"^-A (?P<rule>(?P<chain>NETAVARK-\S+) .*--dport (?P<port>\d+) .*-j (?P<to>\S+).*)$", re.MULTILINE
)
_TARGET = re.compile(r"--to-destination ([\d.]+):\d+")
_MARKS = "NETAVARK-HOSTPORT-SETMARK"


def clear(subject: str, address: str, ports: Collection[int], identity: Callable[[], str]) -> None:
    """Remove them, all or none; raises LocalError.

    `identity`: Podman's id of the container whose ports these are, asked for only where a port is forwarded
    more than once. Without root or iptables there is nothing that could be seen.
    """
    if os.geteuid() != 0 or not all(map(shutil.which, _TOOLS)):
        return
    saved = _saved()
    if not _crowded(saved, address, ports):
        return
    container = identity()
    rules = astray(saved, container, address, ports) if container else ()
    if not rules:
        return
    text = "\n".join(["*nat", *(f"-D {rule}" for rule in rules), "COMMIT", ""])
    done = execute(("iptables-restore", "--noflush", "--wait"), stdin=text.encode(), timeout=_SECONDS)
    left = astray(_saved(), container, address, ports) if done.code != 0 else ()
    if left:  # else another process was first
        raise LocalError(
            subject,
            "a start that was killed holds its ports, and the rules cannot be removed",
            place="iptables -t nat",
            got=done.stderr[:200],
            next_step=f"Remove them: iptables -t nat -D {left[0]}",
        )


def astray(saved: str, container: str, address: str, ports: Collection[int]) -> Sequence[str]:
    """The rules to delete, of what `iptables-save -t nat` prints.

    They come first: ways into a chain for another container, then forwards to another address, or to this one
    above the marks that its own forward has.
    """
    rules = list(_of(saved, ports))
    last_mark = {
        (rule["chain"], rule["port"]): number for number, rule in enumerate(rules) if rule["to"] == _MARKS
    }
    found = [
        rule["rule"]
        for rule in rules
        if (known := _ID.search(rule["rule"])) is not None and known["container"] != container
    ]
    for number, rule in enumerate(rules):
        to = _TARGET.search(rule["rule"])
        if to and (to[1] != address or number < last_mark.get((rule["chain"], rule["port"]), -1)):
            found.append(rule["rule"])
    return found


def _crowded(saved: str, address: str, ports: Collection[int]) -> bool:
    """Whether a port is forwarded twice, or elsewhere."""
    targets = [
        (rule["port"], to[1])
        for rule in _of(saved, ports)
        if (to := _TARGET.search(rule["rule"])) is not None
    ]
    twice = max(Counter(port for port, _ in targets).values(), default=0) > 1
    return twice or any(to != address for _, to in targets)


def _of(saved: str, ports: Collection[int]) -> Iterator[re.Match[str]]:
    return (rule for rule in _RULE.finditer(saved) if int(rule["port"]) in ports)


def _saved() -> str:
    return execute(("iptables-save", "-t", "nat"), timeout=_SECONDS).stdout.decode(errors="replace")
