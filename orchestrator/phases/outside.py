"""outside: what each host says it listens on, tried from another server of the fleet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from threading import Event
from typing import Any, Final, cast

from orchestrator.errors import ToolError
from orchestrator.parallel import for_each
from orchestrator.phases.network import program, whole_answers
from orchestrator.ports.hosts import HostShell
from orchestrator.verification.flows import Source, SourceKind, allows
from orchestrator.verification.listening import MOST_PORTS, Port
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, ServerOutput

_AT_ONCE: Final = 20
_PROBES_AT_ONCE: Final = 300
_PROBE_SECONDS: Final = 1.3
"""Long enough for a lost SYN to be sent once more."""
_SECONDS: Final = 20.0

Seen = Mapping[str, Any]
"""Rows `{witness, protocol, port, answer, allowed}`, or why there are none."""


def look(
    fleet: Fleet, outputs: FleetOutputs, documents: Sequence[Mapping[str, Any]], shell: HostShell
) -> dict[str, object]:
    """By host, what a neighbour saw of it; a host without one is unknown, and so is one nobody could try."""
    by_host = {str(each["host"]): each for each in documents}
    servers = [server for server in outputs.servers if server.name in by_host]

    def one(server: ServerOutput, _stopping: Event) -> object:
        witness = _witness(server, servers)
        if witness is None:
            return {"unknown": "no other server of the fleet could look at this host"}
        try:
            return _tried(fleet, outputs, server, witness, ports_of(by_host[server.name]), shell)
        except ToolError as problem:
            return {"unknown": f"{witness.name} could not look: {problem.message}"[:300]}

    found = for_each(servers, one, at_once=_AT_ONCE)
    return {server.name: seen for server, seen in zip(servers, found, strict=True)}


def summary(seen: Mapping[str, object]) -> str:
    """`4 ports of 2 hosts tried`"""
    rows = [each for each in seen.values() if isinstance(each, list)]
    return f"{sum(map(len, rows))} ports of {len(rows)} hosts tried"


def ports_of(document: Mapping[str, Any]) -> list[Port]:
    """What a host says it listens on for others than itself; what is no such row is left out."""
    found: set[Port] = set()
    rows = document.get("listening")
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or row.get("protocol") not in ("tcp", "udp"):
            continue
        port = row.get("port")
        if isinstance(port, int) and 0 < port < 65_536 and not _loopback(str(row.get("address"))):
            found.add((cast("Any", row["protocol"]), port))
    return sorted(found, key=lambda each: (each[1], each[0]))[:MOST_PORTS]


def _loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _witness(server: ServerOutput, servers: Sequence[ServerOutput]) -> ServerOutput | None:
    """The next server, of the same network where there is one: nobody looks at more than its share."""
    place = servers.index(server)
    others = [*servers[place + 1 :], *servers[:place]]
    near = (each for each in others if each.network == server.network)
    return next(near, next(iter(others), None))


def _tried(
    fleet: Fleet,
    outputs: FleetOutputs,
    target: ServerOutput,
    witness: ServerOutput,
    ports: Sequence[Port],
    shell: HostShell,
) -> list[Mapping[str, object]]:
    source = Source(witness.name, SourceKind.SERVER, witness.address, witness.network)
    asked = {
        "seconds": _PROBE_SECONDS,
        "at_once": _PROBES_AT_ONCE,
        "from_port": 0,
        "probes": [[protocol, target.address, port] for protocol, port in ports],
    }
    done = shell.run(witness, ["python3", "-I", "-c", program()], timeout=_SECONDS, stdin=json.dumps(asked))
    said = whole_answers(witness.name, done.stdout, len(ports))
    return [
        {
            "witness": witness.name,
            "protocol": port[0],
            "port": port[1],
            "answer": answer,
            "allowed": allows(fleet, outputs, source, target, port),
        }
        for port, answer in zip(ports, said, strict=True)
    ]
