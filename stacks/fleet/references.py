"""Checks across the parts of a fleet: every name that is used exists, and the parts agree with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from stacks.fleet.backup import BackupPlan, Repository
from stacks.fleet.mistakes import Mistake, Place, RoleCheck, nearest, shown
from stacks.fleet.network import ANYWHERE, Ingress, Network
from stacks.fleet.server import Server
from stacks.fleet.service import Service
from stacks.fleet.units import format_duration

VAULT_ROLE = "backup_vault"
_MOST_SERVERS_OF_A_FLEET = 1_000
_ADDRESSES_TAKEN_BY_A_NETWORK = 3  # network, gateway, broadcast


@dataclass(frozen=True)
class Parts:
    """The parts of a fleet that are valid by themselves, and every name that was declared, valid or not."""

    declared: Mapping[str, frozenset[str]]
    networks: Mapping[str, Network] = field(default_factory=dict)
    servers: Mapping[str, Server] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    repositories: Mapping[str, Repository] = field(default_factory=dict)
    backups: Mapping[str, BackupPlan] = field(default_factory=dict)
    stack: str = ""

    def unknown(self, section: str, name: str) -> str | None:
        """What to say when `name` is not declared in `section`, else None."""
        names = self.declared[section]
        kind = {"networks": "network", "servers": "server", "backups": "backup plan", "repositories": "repository"}
        if name in names:
            return None
        return f"no {kind[section]} named '{shown(name)}'; {nearest(name, names)}"


def mistakes(parts: Parts, role_check: RoleCheck | None = None) -> Iterator[Mistake]:
    """Every mistake that shows only when the parts are held against each other."""
    yield from _networks(parts)
    for group, server in parts.servers.items():
        yield from _server(parts, group, server, role_check)
    yield from _fit(parts)
    for name, service in parts.services.items():
        yield from _service(parts, name, service)
    for name, repository in parts.repositories.items():
        yield from _repository(parts, name, repository)
    for name, plan in parts.backups.items():
        yield from _plan(parts, name, plan)


def _networks(parts: Parts) -> Iterator[Mistake]:
    for name, network in parts.networks.items():
        if not 16 <= network.cidr.prefixlen <= 28:
            yield Mistake(("networks", name, "cidr"), f"'{network.cidr}' is not between /16 and /28")
    for (first, one), (second, other) in combinations(parts.networks.items(), 2):
        if one.cidr.overlaps(other.cidr):
            yield Mistake(
                ("networks", second, "cidr"),
                f"'{other.cidr}' overlaps with network '{first}' ({one.cidr}). Choose ranges that share no address.",
            )


def _server(parts: Parts, group: str, server: Server, role_check: RoleCheck | None) -> Iterator[Mistake]:
    place: Place = ("servers", group)
    if text := parts.unknown("networks", server.network):
        yield Mistake((*place, "network"), text)
    for index, plan in enumerate(server.backup):
        if text := parts.unknown("backups", plan):
            yield Mistake((*place, "backup", index), text)
    for index, rule in enumerate(server.ingress):
        yield from _ingress(parts, (*place, "ingress", index), rule, server.count)
    yield from _roles(place, server, role_check)
    yield from _volumes(parts, place, server)


def _ingress(parts: Parts, place: Place, rule: Ingress, count: int) -> Iterator[Mistake]:
    if rule.source != ANYWHERE and not rule.is_network and rule.source not in parts.declared["servers"]:
        known = {*parts.declared["servers"], ANYWHERE}
        yield Mistake((*place, "from"), f"no server named '{shown(rule.source)}'; {nearest(rule.source, known)}")
    if rule.publish is not None and rule.source != ANYWHERE:
        yield Mistake((*place, "publish"), "only a port that is open to anywhere can be published")
    if rule.publish is not None and count > 1:
        yield Mistake((*place, "publish"), f"one port cannot be published for {count} servers; leave it out")


def _roles(place: Place, server: Server, role_check: RoleCheck | None) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, role in enumerate(server.roles):
        if role.name in seen:
            yield Mistake((*place, "roles", index), f"role '{role.name}' is said twice")
        seen.add(role.name)
        for variable, problem in role_check(role.name, role.variables) if role_check else ():
            steps: Place = (role.name, variable) if variable else (role.name,)
            yield Mistake((*place, "roles", index, *steps), problem)


def _volumes(parts: Parts, place: Place, server: Server) -> Iterator[Mistake]:
    mounts: dict[str, str] = {}
    for name, volume in server.volumes.items():
        if volume.mount in mounts:
            yield Mistake(
                (*place, "volumes", name, "mount"), f"'{volume.mount}' is where '{mounts[volume.mount]}' is mounted"
            )
        mounts.setdefault(volume.mount, name)
        unsure = any(plan not in parts.backups for plan in server.backup)
        covered = any(parts.backups[plan].covers(volume.mount) for plan in server.backup if plan in parts.backups)
        if volume.bears_data and not (covered or unsure) and server.role(VAULT_ROLE) is None:
            yield Mistake(
                (*place, "volumes", name),
                f"the volume '{name}' bears data and no backup plan of this server covers {volume.mount}. "
                "Add a plan, or say disposable: true.",
            )


def _fit(parts: Parts) -> Iterator[Mistake]:
    total = sum(server.count for server in parts.servers.values())
    if total > _MOST_SERVERS_OF_A_FLEET:
        yield Mistake(("servers",), f"{total} servers are more than the {_MOST_SERVERS_OF_A_FLEET} a fleet may have")
    for name, network in parts.networks.items():
        needed = sum(server.count for server in parts.servers.values() if server.network == name)
        room = network.cidr.num_addresses - _ADDRESSES_TAKEN_BY_A_NETWORK
        if needed > room:
            yield Mistake(("networks", name, "cidr"), f"'{network.cidr}' has room for {room} servers, not {needed}")


def _service(parts: Parts, name: str, service: Service) -> Iterator[Mistake]:
    for index, group in enumerate(service.servers):
        if text := parts.unknown("servers", group):
            yield Mistake(("services", name, "servers", index), text)
    probe = service.availability.probe if service.availability else None
    if probe and (text := parts.unknown("servers", probe.http)):
        yield Mistake(("services", name, "availability", "probe", "http"), text)


def _repository(parts: Parts, name: str, repository: Repository) -> Iterator[Mistake]:
    place: Place = ("repositories", name)
    if repository.stack is not None and repository.stack == parts.stack:
        yield Mistake((*place, "stack"), f"'{repository.stack}' is this fleet itself; say server instead")
    if repository.server is None:
        return
    if text := parts.unknown("servers", repository.server):
        yield Mistake((*place, "server"), text)
    server = parts.servers.get(repository.server)
    if server is not None and server.role(VAULT_ROLE) is None:
        yield Mistake((*place, "server"), f"server '{repository.server}' does not have the role {VAULT_ROLE}")


def _plan(parts: Parts, name: str, plan: BackupPlan) -> Iterator[Mistake]:
    place: Place = ("backups", name)
    if text := parts.unknown("repositories", plan.repository):
        yield Mistake((*place, "repository"), text)
    gap = plan.longest_gap
    if plan.rpo < gap:
        apart = format_duration(gap)
        yield Mistake(
            (*place, "rpo"),
            f"{format_duration(plan.rpo)} is shorter than the schedule '{plan.schedule}' allows ({apart} apart). "
            f"Say at least rpo: {apart}, or back up more often.",
        )
    groups = [group for group, server in parts.servers.items() if name in server.backup]
    if not groups and len(parts.servers) == len(parts.declared["servers"]):
        yield Mistake(place, f"no server uses this plan. Add backup: [{name}] to a server, or remove the plan.")
    for group in groups:
        if plan.kind == "postgresql" and parts.servers[group].role("postgresql") is None:
            yield Mistake(
                ("servers", group, "backup"), f"plan '{name}' saves databases, but the server has no role postgresql"
            )


def declared_names(raw: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The names each section of a raw fleet declares, whatever they hold."""
    sections = ("networks", "servers", "services", "storage", "repositories", "backups")
    found = {}
    for section in sections:
        value = raw.get(section)
        found[section] = frozenset(str(key) for key in value) if isinstance(value, Mapping) else frozenset()
    return found
