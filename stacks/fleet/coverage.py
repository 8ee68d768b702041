"""Checks of what must not be lost: volumes, the plans that save them, and the repositories plans write to."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.fleet.backup import BackupPlan, Repository
from stacks.fleet.mistakes import Mistake, Place, nearest, shown
from stacks.fleet.parts import Parts
from stacks.fleet.server import Server
from stacks.fleet.units import format_duration

VAULT_ROLE = "backup_vault"
_DATABASE_ROLE = "postgresql"


def volume_mistakes(parts: Parts, place: Place, server: Server) -> Iterator[Mistake]:
    """Two volumes in one place, and data that no plan of the server covers."""
    mounts: dict[str, str] = {}
    for name, volume in server.volumes.items():
        if volume.mount in mounts:
            text = f"'{volume.mount}' is where '{mounts[volume.mount]}' is mounted; choose another folder"
            yield Mistake((*place, "volumes", name, "mount"), text)
        mounts.setdefault(volume.mount, name)
        unsure = any(plan not in parts.backups for plan in server.backup)
        covered = any(
            parts.backups[plan].covers(volume.mount) for plan in server.backup if plan in parts.backups
        )
        if volume.bears_data and not (covered or unsure) and server.role(VAULT_ROLE) is None:
            yield Mistake(
                (*place, "volumes", name),
                f"the volume '{name}' bears data and no backup plan of this server covers {volume.mount}. "
                "Add a plan, or say disposable: true.",
            )


def backup_mistakes(parts: Parts) -> Iterator[Mistake]:
    """Repositories, plans, and the servers that use them."""
    for name, repository in parts.repositories.items():
        yield from _repository(parts, name, repository)
    for name, plan in parts.backups.items():
        yield from _plan(parts, name, plan)
    for group, server in parts.servers.items():
        yield from _one_repository(parts, group, server)
    yield from _same_label(parts)


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
        text = f"server '{repository.server}' does not have the role {VAULT_ROLE}; add it to its roles"
        yield Mistake((*place, "server"), text)
    if server is not None and server.count > 1:
        text = (
            f"server '{repository.server}' is {server.count} servers; a repository lies on one: say count: 1"
        )
        yield Mistake((*place, "server"), text)


def _plan(parts: Parts, name: str, plan: BackupPlan) -> Iterator[Mistake]:
    place: Place = ("backups", name)
    if text := parts.unknown("repositories", plan.repository):
        yield Mistake((*place, "repository"), text)
    yield from _loss(place, plan)
    groups = [group for group, server in parts.servers.items() if name in server.backup]
    if not groups and len(parts.servers) == len(parts.declared["servers"]):
        yield Mistake(
            place, f"no server uses this plan. Add backup: [{name}] to a server, or remove the plan."
        )
    for group in groups if plan.kind == "postgresql" else ():
        yield from _databases(("servers", group, "backup"), parts.servers[group], name, plan)


def _loss(place: Place, plan: BackupPlan) -> Iterator[Mistake]:
    """The RPO is at least the longest time between two planned snapshots, also when the clocks change."""
    gap, usual = plan.longest_gap, plan.cron.longest_gap()
    if plan.rpo >= gap:
        return
    apart = format_duration(gap)
    why, advice = f"({apart} apart)", "back up more often"
    if plan.rpo >= usual:
        why = f"({format_duration(usual)} apart, and {apart} when the clocks change in {plan.timezone})"
        advice = "timezone: UTC, where they never change"
    yield Mistake(
        (*place, "rpo"),
        f"{format_duration(plan.rpo)} is shorter than the schedule '{plan.schedule}' allows {why}. "
        f"Say at least rpo: {apart}, or {advice}.",
    )


def _databases(place: Place, server: Server, name: str, plan: BackupPlan) -> Iterator[Mistake]:
    role = server.role(_DATABASE_ROLE)
    if role is None:
        text = f"plan '{name}' saves databases, but the server has no role {_DATABASE_ROLE}; add it"
        yield Mistake(place, text)
        return
    declared = role.variables.get("databases")
    if not isinstance(declared, list):
        return  # judged by the role itself
    known = [shown(str(database)) for database in declared]
    for database in plan.postgresql:
        if database not in declared:
            yield Mistake(
                place, f"plan '{name}': no database named '{database}' here; {nearest(database, known)}"
            )


def _one_repository(parts: Parts, group: str, server: Server) -> Iterator[Mistake]:
    """A server has one repository: its id names it, and one set of credentials opens it."""
    used = {plan: parts.backups[plan].repository for plan in server.backup if plan in parts.backups}
    if len(set(used.values())) > 1:
        listed = ", ".join(f"{plan} to '{repository}'" for plan, repository in used.items())
        text = (
            f"its plans write to different repositories ({listed}), and a server has one; choose one of them"
        )
        yield Mistake(("servers", group, "backup"), text)


def _same_label(parts: Parts) -> Iterator[Mistake]:
    """Volumes are labelled SERVER-VOLUME; dashes in both could make two labels one."""
    holders: dict[str, str] = {}
    for group, server in parts.servers.items():
        for volume in server.volumes:
            for label in (f"{each}-{volume}" for each in server.names(group)):
                if holders.setdefault(label, group) != group:
                    text = (
                        f"'{label}' is the label of a volume of '{holders[label]}' too; choose another name"
                    )
                    yield Mistake(("servers", group, "volumes", volume), text)
                    break
