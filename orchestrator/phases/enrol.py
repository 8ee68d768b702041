"""enrol: give every server with a backup plan its own repository on the vault, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.restic import repository_url
from orchestrator.errors import InputError
from orchestrator.inventory.build import RepositoryAccess
from orchestrator.ports import BackupStore, CredentialStore, Say
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, ServerOutput

StoreOf = Callable[[str], BackupStore]
"""The store behind a repository name of the fleet."""


def enrol(
    fleet: Fleet,
    outputs: FleetOutputs,
    servers: Sequence[ServerOutput],
    store_of: StoreOf,
    credentials_of: Callable[[str], CredentialStore],
    now: datetime,
    say: Say,
) -> Mapping[str, RepositoryAccess]:
    """Access to its own repository for each of these servers that has a plan, by server name."""
    access: dict[str, RepositoryAccess] = {}
    by_repository: dict[str, list[ServerOutput]] = {}
    for server in servers:
        for plan in fleet.plans_of(server.group).values():
            by_repository.setdefault(plan.repository, [])
            if server not in by_repository[plan.repository]:
                by_repository[plan.repository].append(server)
    for repository, writers in by_repository.items():
        store, keeper = store_of(repository), credentials_of(repository)
        described = store.describe()
        for server in writers:
            known = keeper.load(server.incarnation)
            if known is None and server.incarnation in described.repositories:
                raise InputError(
                    server.name, "the vault has this server's repository, but its credentials are not here",
                    place=keeper.place(server.incarnation),
                    next_step="Restore that file from your backup of STEWARD_HOME.",
                )  # fmt: skip
            credentials = known or keeper.create(server.incarnation, server.name, outputs.stack, now)
            if server.incarnation not in described.repositories:
                store.enrol(credentials)
                say(f"{server.name}: repository {server.incarnation[:8]} made on {repository}")
            access[server.name] = _access(store, described.port, described.certificate, credentials)
    return access


def _access(store: BackupStore, port: int, certificate: str, credentials: RepositoryCredentials) -> RepositoryAccess:
    return RepositoryAccess(
        url=repository_url(store.address, port, credentials.id),
        user=credentials.id,
        certificate=certificate,
        http_password=credentials.http_password,
        password=credentials.password,
    )
