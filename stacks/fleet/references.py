"""Checks across the parts of a fleet: every name that is used exists, and the parts agree with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network

from stacks.fleet.coverage import VAULT_ROLE, backup_mistakes, volume_mistakes
from stacks.fleet.mistakes import Mistake, Place, RoleCheck, nearest, shown
from stacks.fleet.network import ANYWHERE, Ingress
from stacks.fleet.overlap import overlapping
from stacks.fleet.parts import Parts
from stacks.fleet.server import Server
from stacks.fleet.service import Service

__all__ = ["VAULT_ROLE", "mistakes"]

_MOST_SERVERS_OF_A_FLEET = 1_000
_ADDRESSES_TAKEN_BY_A_NETWORK = 3  # network, gateway, broadcast
_NO_PLACE_FOR_SERVERS = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")))
"""This host, loopback, link-local, multicast and reserved."""


def mistakes(parts: Parts, role_check: RoleCheck | None = None) -> Iterator[Mistake]:
    """Every mistake that shows only when the parts are held against each other."""
    yield from _networks(parts)
    for group, server in parts.servers.items():
        yield from _server(parts, group, server, role_check)
    yield from _published_twice(parts)
    yield from _fit(parts)
    for name, service in parts.services.items():
        yield from _service(parts, name, service)
    yield from backup_mistakes(parts)


def _networks(parts: Parts) -> Iterator[Mistake]:
    for name, network in parts.networks.items():
        place: Place = ("networks", name, "cidr")
        if not 16 <= network.cidr.prefixlen <= 28:
            yield Mistake(place, f"'{network.cidr}' is not between /16 and /28; choose a size between them")
        if any(network.cidr.overlaps(other) for other in _NO_PLACE_FOR_SERVERS):
            yield Mistake(
                place,
                f"no server can have an address in '{network.cidr}'; choose a private range such as 10.x",
            )
    positions = {name: position for position, name in enumerate(parts.networks)}
    for first, second in overlapping((name, network.cidr) for name, network in parts.networks.items()):
        (one, earlier), (other, later) = sorted((first, second), key=lambda each: positions[each[0]])
        yield Mistake(
            ("networks", other, "cidr"),
            f"'{later}' overlaps with network '{one}' ({earlier}). Choose ranges that share no address.",
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
    flows = Counter((rule.source, rule.port, rule.protocol) for rule in server.ingress)
    for (source, port, protocol), count in flows.items():
        if count > 1:
            yield Mistake(
                (*place, "ingress"), f"{protocol} port {port} from '{source}' is said twice; say it once"
            )
    yield from _roles(place, server, role_check)
    yield from volume_mistakes(parts, place, server)


def _ingress(parts: Parts, place: Place, rule: Ingress, count: int) -> Iterator[Mistake]:
    if rule.source != ANYWHERE and not rule.is_network and rule.source not in parts.declared["servers"]:
        known = {*map(shown, parts.declared["servers"]), ANYWHERE}
        yield Mistake(
            (*place, "from"), f"no server named '{shown(rule.source)}'; {nearest(rule.source, known)}"
        )
    if rule.publish is None:
        return
    if rule.source != ANYWHERE or rule.protocol != "tcp":
        text = "only a tcp port that is open to anywhere can be published; leave publish out"
        yield Mistake((*place, "publish"), text)
    elif count > 1:
        yield Mistake((*place, "publish"), f"one port cannot be published for {count} servers; leave it out")


def _published_twice(parts: Parts) -> Iterator[Mistake]:
    holders: dict[int, str] = {}
    for group, server in parts.servers.items():
        for index, rule in enumerate(server.ingress):
            if rule.publish is None:
                continue
            if rule.publish in holders:
                text = f"port {rule.publish} is published by {holders[rule.publish]} already; choose another"
                yield Mistake(("servers", group, "ingress", index, "publish"), text)
            holders.setdefault(rule.publish, f"server '{group}'")


def _roles(place: Place, server: Server, role_check: RoleCheck | None) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, role in enumerate(server.roles):
        if role.name in seen:
            yield Mistake((*place, "roles", index), f"role '{role.name}' is said twice; say it once")
        seen.add(role.name)
        for variable, problem in role_check(role.name, role.variables) if role_check else ():
            steps: Place = (role.name, variable) if variable else (role.name,)
            yield Mistake((*place, "roles", index, *steps), problem)


def _fit(parts: Parts) -> Iterator[Mistake]:
    total = sum(server.count for server in parts.servers.values())
    if total > _MOST_SERVERS_OF_A_FLEET:
        most = _MOST_SERVERS_OF_A_FLEET
        yield Mistake(
            ("servers",), f"{total} servers are more than the {most} a fleet may have; split the fleet"
        )
    needed: Counter[str] = Counter()
    for server in parts.servers.values():
        needed[server.network] += server.count
    for name, network in parts.networks.items():
        room = network.cidr.num_addresses - _ADDRESSES_TAKEN_BY_A_NETWORK
        if needed[name] > room:
            text = f"'{network.cidr}' has room for {room} servers, not {needed[name]}; choose a larger range"
            yield Mistake(("networks", name, "cidr"), text)


def _service(parts: Parts, name: str, service: Service) -> Iterator[Mistake]:
    for index, group in enumerate(service.servers):
        if text := parts.unknown("servers", group):
            yield Mistake(("services", name, "servers", index), text)
    probe = service.availability.probe if service.availability else None
    if probe and (text := parts.unknown("servers", probe.http)):
        yield Mistake(("services", name, "availability", "probe", "http"), text)
