"""enrol: give every server with a backup plan its own repository on the vault, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.documents import VaultDescription
from orchestrator.backups.restic import repository_url
from orchestrator.errors import InputError
from orchestrator.inventory.build import RepositoryAccess
from orchestrator.ports import BackupStore, CredentialStore, Say
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, ServerOutput

_PARALLEL = 4
"""Making a repository costs a core for a second or two: its key derivation is slow on purpose."""

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
        one = partial(_enrol_one, store, keeper, described, outputs.stack, now, say)
        with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
            access.update(zip((server.name for server in writers), pool.map(one, writers), strict=True))
    return access


def _enrol_one(
    store: BackupStore,
    keeper: CredentialStore,
    described: VaultDescription,
    stack: str,
    now: datetime,
    say: Say,
    server: ServerOutput,
) -> RepositoryAccess:
    known = keeper.load(server.incarnation)
    if known is None and server.incarnation in described.repositories:
        raise InputError(
            server.name, "the vault has this server's repository, but its credentials are not here",
            place=keeper.place(server.incarnation),
            next_step="Restore that file from your backup of STEWARD_HOME.",
        )  # fmt: skip
    credentials = known or keeper.create(server.incarnation, server.name, stack, now)
    if server.incarnation not in described.repositories:
        store.enrol(credentials)
        say(f"{server.name}: repository {server.incarnation[:8]} made")
    return _access(store, described.port, described.certificate, credentials)


def _access(store: BackupStore, port: int, certificate: str, credentials: RepositoryCredentials) -> RepositoryAccess:
    return RepositoryAccess(
        url=repository_url(store.address, port, credentials.id),
        user=credentials.id,
        certificate=certificate,
        http_password=credentials.http_password,
        password=credentials.password,
    )
