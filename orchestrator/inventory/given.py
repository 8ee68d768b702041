"""What a host's roles are given: the fleet's values, secrets, and what Steward adds. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.inventory.logins import further_passwords, with_logins
from orchestrator.inventory.model import InventoryHost
from orchestrator.inventory.supplies import Supplies
from stacks.fleet.model import Fleet
from stacks.fleet.secret import references, resolved
from stacks.outputs import FleetOutputs, ServerOutput

NOTHING = Supplies()
OWN_GROUP = "own_roles"
_MIB = 1_024
_FETCHED_HERE = ("app", "source")
"""Read by the control machine alone: a server is told where the code came from, never what opens it."""

_FURTHER = "redis_further_passwords"


def with_supplies(
    host: InventoryHost, fleet: Fleet, outputs: FleetOutputs, server: ServerOutput, supplies: Supplies
) -> InventoryHost:
    """The host with its roles' variables; a variable with a secret in it is a secret as a whole."""
    variables, secrets = dict(host.variables), dict(host.secrets)
    roles = fleet.servers[server.group].roles
    for role in roles:
        for key, value in role.variables.items():
            name = f"{role.name}_{key}"
            if (role.name, key) == _FETCHED_HERE:
                variables[name] = resolved(value, str)
            elif any(references(value)):
                opened = with_logins(role.name, key, value, supplies.logins)
                secrets[name] = resolved(opened, supplies.secret)
            else:
                variables.setdefault(name, value)
        if further := further_passwords(role, supplies.logins):
            secrets[_FURTHER] = [*secrets.get(_FURTHER, ()), *further]
    asked = {option for role in roles for option in supplies.options(role.name)}
    for name, value, secret in _given(fleet, outputs, server, supplies):
        if name in asked:
            (secrets if secret else variables)[name] = value
    own = [role.name for role in roles if supplies.own(role.name)]
    if own:
        variables["steward_own_roles"] = own
    groups = [*host.groups, *([OWN_GROUP] if own else [])]
    return InventoryHost(name=host.name, groups=groups, variables=variables, secrets=secrets)


def _given(
    fleet: Fleet, outputs: FleetOutputs, server: ServerOutput, supplies: Supplies
) -> Iterator[tuple[str, Any, bool]]:
    """Name, value, and whether it is a secret, of everything a role may ask for."""
    yield "steward_memory_mib", int(fleet.servers[server.group].capacity.memory_gib * _MIB), False
    yield "steward_addresses", addresses(outputs), False
    if (made := supplies.certificates.get(server.name)) is not None:
        yield "steward_certificate", made.certificate, False
        yield "steward_certificate_key", made.key, True
        yield "steward_authority", made.authority, False
    if (archive := supplies.archives.get(server.group)) is not None:
        yield "app_archive", str(archive.path), False
        yield "app_archive_sha256", archive.sha256, False
        yield "app_release", archive.release, False


def addresses(outputs: FleetOutputs) -> dict[str, list[str]]:
    """Addresses of every server, by group."""
    found: dict[str, list[str]] = {}
    for server in outputs.servers:
        found.setdefault(server.group, []).append(server.address)
    return found
