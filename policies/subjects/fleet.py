"""A fleet file as subjects: the fleet itself, its services, and its server groups, before anything is made.

The fleet comes as plain JSON (`Fleet.model_dump(mode="json")`), valid by its own schema. Its subject has the
URN and the facts of the component that the engine registers, so that both are one: `with_declared` keeps the
engine's where there is one. Services and server groups are known from the file alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from policies.facts import Facts, Unknown, shown
from policies.model import Kind, Subject
from policies.subjects.backups import NO_PLAN
from policies.subjects.document import DocumentError

FLEET_TYPES: Final = ("service", "server_group")
"""Beside `fleet`, which the engine knows too."""
_COMPONENT: Final = "steward:index:Fleet"
_FILE: Final = "fleet file"
_MOST_OF_A_GROUP: Final = 100
_MADE_LATER: Final = Unknown("made by the first up")


def fleet_subjects(fleet: Mapping[str, object], *, project: str = "steward") -> list[Subject]:
    """The fleet, each service and each server group; raises DocumentError for what is no fleet."""
    body = _Body(fleet)
    own = Subject(
        kind=Kind.RESOURCE,
        type="fleet",
        name=body.stack,
        urn=f"urn:pulumi:{body.stack}::{project}::{_COMPONENT}::{body.stack}",
        stack=body.stack,
        facts=Facts(body.fleet_facts()),
        source_type=_COMPONENT,
        witness="file",
    )
    services = [body.subject("service", name, body.service_facts(name)) for name in body.services]
    groups = [body.subject("server_group", name, body.group_facts(name)) for name in body.groups]
    return [own, *services, *groups]


def with_declared(made: Sequence[Subject], declared: Sequence[Subject]) -> list[Subject]:
    """What the engine knows and what only the file says; of two with one URN the engine's counts."""
    known = {subject.urn for subject in made}
    return [*made, *(subject for subject in declared if subject.urn not in known)]


def server_names(fleet: Mapping[str, object]) -> dict[str, str]:
    """Each server of the fleet with its group: `web` with count 2 is web-1 and web-2."""
    body = _Body(fleet)
    return {name: group for group in body.groups for name in body.servers_of(group)}


def backup_names(fleet: Mapping[str, object]) -> list[str]:
    """Plan and server of each backup record that the fleet asks for, `-/SERVER` for one without a plan."""
    body = _Body(fleet)
    return [
        f"{shown(plan)}/{shown(name)}"
        for group, spec in body.groups.items()
        for name in body.servers_of(group)
        for plan in (_names(spec, "backup") or (NO_PLAN,))
    ]


class _Body:
    """The parts of a fleet by name, checked as far as they are read here."""

    def __init__(self, fleet: object) -> None:
        self._fleet = _mapping(fleet, "fleet")
        self.stack = f"{_text(self._fleet, 'client')}-{_text(self._fleet, 'environment')}"
        self.services = self._part("services")
        self.groups = self._part("servers")
        self.plans = self._part("backups")
        self.networks = self._part("networks")

    def _part(self, key: str) -> Mapping[str, Mapping[str, object]]:
        part = _mapping(self._fleet.get(key) or {}, key)
        return {name: _mapping(value, f"{key}.{shown(name)}") for name, value in part.items()}

    def subject(self, kind: str, name: str, facts: Mapping[str, object]) -> Subject:
        """A subject that only the file knows."""
        return Subject(
            kind=Kind.RESOURCE,
            type=kind,
            name=shown(name),
            urn=f"{kind}:{self.stack}/{shown(name)}",
            stack=self.stack,
            facts=Facts({"name": name, "tags": self.tags(), **facts}),
            source_type=_FILE,
            witness="file",
        )

    def tags(self) -> Mapping[str, object]:
        """The tags that every resource of the fleet will carry."""
        tags = {key: self._fleet.get(key) for key in ("client", "environment", "owner", "region", "profile")}
        tags |= {"stack": self.stack, "clientId": _MADE_LATER, "stackId": _MADE_LATER}
        centre = self._fleet.get("cost_centre")
        return {**tags, "costCentre": centre} if centre else tags

    def fleet_facts(self) -> Mapping[str, object]:
        """As the component of the engine registers them."""
        own = {key: self._fleet.get(key) for key in ("client", "environment", "owner", "region", "profile")}
        services = [self._promise(name) for name in self.services]
        return {**own, "services": services, "budget": self._fleet.get("budget"), "tags": self.tags()}

    def _promise(self, name: str) -> Mapping[str, object]:
        service = self.services[name]
        availability = _mapping(service.get("availability") or {}, f"services.{name}.availability")
        return {
            "name": name,
            "owner": service.get("owner"),
            "availabilityTargetPercent": availability.get("target_percent"),
            "servers": service.get("servers"),
        }

    def service_facts(self, name: str) -> Mapping[str, object]:
        """What is promised of a service, and on how many servers it runs."""
        service = self.services[name]
        availability = _mapping(service.get("availability") or {}, f"services.{name}.availability")
        groups = [group for group in _names(service, "servers") if group in self.groups]
        return {
            **self._promise(name),
            "purpose": service.get("purpose"),
            "probe": availability.get("probe"),
            "maintenance": service.get("maintenance"),
            "fleetOwner": self._fleet.get("owner"),
            "groups": [
                {"name": group, "count": len(self.servers_of(group)), "roles": self._roles_of(group)}
                for group in groups
            ],
        }

    def _roles_of(self, group: str) -> list[str]:
        """Names of the roles that each server of the group gets."""
        named = self.groups[group].get("roles")
        each = named if isinstance(named, Sequence) and not isinstance(named, str) else ()
        return [str(role.get("name", "")) for role in each if isinstance(role, Mapping)]

    def group_facts(self, name: str) -> Mapping[str, object]:
        """What a group is for, what it is backed up by and when it may be touched."""
        group = self.groups[name]
        served = [each for each, service in self.services.items() if name in _names(service, "servers")]
        network = str(group.get("network"))
        plans = [(plan, self.plans[plan]) for plan in _names(group, "backup") if plan in self.plans]
        return {
            "count": group.get("count"),
            "services": served,
            "network": network,
            "networkCidr": self.networks.get(network, {}).get("cidr"),
            "networkServers": self._servers_in(network),
            "plans": [
                {"name": plan, "schedule": spec.get("schedule"), "timezone": spec.get("timezone")}
                for plan, spec in plans
            ],
            "windows": list(self._windows(served)),
        }

    def _windows(self, services: Sequence[str]) -> Iterator[Mapping[str, object]]:
        for name in services:
            if window := self.services[name].get("maintenance"):
                yield {"service": name, **_mapping(window, f"services.{name}.maintenance")}

    def _servers_in(self, network: str) -> int:
        groups = [name for name, group in self.groups.items() if group.get("network") == network]
        return sum(len(self.servers_of(name)) for name in groups)

    def servers_of(self, group: str) -> Sequence[str]:
        """The servers of a group, in order."""
        count = self.groups[group].get("count", 1)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= _MOST_OF_A_GROUP:
            raise DocumentError(f"fleet: servers.{shown(group)}.count: expected 1 to 100, got {shown(count)}")
        return [f"{group}-{number}" for number in range(1, count + 1)]


def _mapping(value: object, place: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise DocumentError(f"fleet: {place}: expected a mapping, got {shown(value)}; give a valid fleet")
    return value


def _text(values: Mapping[str, object], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise DocumentError(f"fleet: {key}: expected a text, got {shown(value)}; give a valid fleet")
    return value


def _names(values: Mapping[str, object], key: str) -> Sequence[str]:
    value = values.get(key)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []
