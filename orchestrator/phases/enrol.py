"""enrol: give every server with a backup plan its own repository on the vault, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.restic import repository_url
from orchestrator.errors import InputError
from orchestrator.inventory.build import RepositoryAccess
from orchestrator.phases.lending import take_back
from orchestrator.ports.backups import BackupStore, CredentialStore
from orchestrator.ports.run import Say
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
    for repository, writers in writers_by_repository(fleet, servers).items():
        store, keeper = store_of(repository), credentials_of(repository)
        described = store.describe()
        take_back(store, keeper, outputs.stack, say)
        for server in writers:
            enrolled = server.incarnation in described.repositories
            credentials = _credentials(server, outputs.stack, keeper, now, enrolled=enrolled)
            if not enrolled:
                store.enrol(credentials)
                say(f"{server.name}: repository {server.incarnation[:8]} made on {repository}")
            access[server.name] = access_to(store, described.port, described.certificate, credentials)
    return access


def writers_by_repository(fleet: Fleet, servers: Sequence[ServerOutput]) -> dict[str, list[ServerOutput]]:
    """The servers that write to each repository; the fleet's check sees to it that each has one at most."""
    writers: dict[str, list[ServerOutput]] = {}
    for server in servers:
        for repository in {plan.repository for plan in fleet.plans_of(server.group).values()}:
            writers.setdefault(repository, []).append(server)
    return writers


def _credentials(
    server: ServerOutput, stack: str, keeper: CredentialStore, now: datetime, *, enrolled: bool
) -> RepositoryCredentials:
    """Those that are known, or new ones, kept before the vault hears of them so that no stop loses them."""
    known = keeper.load(server.incarnation)
    if known is None and enrolled:
        raise InputError(
            server.name, "the vault has this server's repository, but its credentials are not here",
            place=keeper.place(server.incarnation),
            next_step="Restore that file from your backup of STEWARD_HOME.",
        )  # fmt: skip
    return known or keeper.create(server.incarnation, server.name, stack, now)


def access_to(
    store: BackupStore, port: int, certificate: str, credentials: RepositoryCredentials
) -> RepositoryAccess:
    """How the server of these credentials reaches its repository."""
    return RepositoryAccess(
        url=repository_url(store.address, port, credentials.http_user),
        user=credentials.http_user,
        certificate=certificate,
        http_password=credentials.http_password,
        password=credentials.password,
    )
