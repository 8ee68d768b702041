"""What fleet and roles say of each host, for rules that hold it against what the host tells. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.ports.roles import RoleBook
from orchestrator.verification.expectations import expectations
from stacks.fleet.model import Fleet
from stacks.fleet.server import Server
from stacks.outputs import ServerOutput

_BASELINE = "baseline"


def expected_hosts(
    fleet: Fleet,
    servers: Sequence[ServerOutput],
    own_keys: Sequence[str],
    outside: Mapping[str, object],
    roles: RoleBook,
) -> dict[str, dict[str, object]]:
    """By host: who may administer it, what may listen, chosen kernel settings, and what a neighbour saw.

    `own_keys`: public keys with which this installation logs in. `outside`: by host, rows of another
    server's look.
    """
    return {
        server.name: {
            "administrators": list(_administrators(fleet.servers[server.group], server.ssh_user, own_keys)),
            "ports": list(_ports(fleet, server.group, roles)),
            "sysctl": _baseline(fleet.servers[server.group]).get("sysctl") or {},
            **({"listening_outside": outside[server.name]} if server.name in outside else {}),
        }
        for server in servers
    }


def _administrators(spec: Server, login: str, own_keys: Sequence[str]) -> Iterator[dict[str, object]]:
    """The login of this installation, then the people that the fleet lists."""
    yield {"name": login, "keys": list(own_keys), "sudo": True, "ends_on": None}
    users = _baseline(spec).get("users")
    for user in users if isinstance(users, list) else ():
        if isinstance(user, dict) and user.get("name"):
            keys = user.get("keys")
            yield {
                "name": str(user["name"]),
                "keys": [str(key) for key in keys] if isinstance(keys, list) else [],
                "sudo": bool(user.get("sudo", False)),
                "ends_on": user.get("ends_on"),
            }


def _ports(fleet: Fleet, group: str, roles: RoleBook) -> Iterator[dict[str, object]]:
    """Those that a rule of the fleet opens, then those on which roles listen behind the firewall."""
    opened = {(rule.protocol, rule.port) for rule in fleet.servers[group].ingress}
    for protocol, port in sorted(opened):
        yield {"protocol": protocol, "port": port, "opened": True}
    listens = {each.subject for each in expectations(fleet, group, roles) if each.probe == "listening"}
    for text in sorted(listens):
        if text.isdecimal() and ("tcp", int(text)) not in opened:
            yield {"protocol": "tcp", "port": int(text), "opened": False}


def _baseline(spec: Server) -> Mapping[str, Any]:
    use = spec.role(_BASELINE)
    return use.variables if use else {}
