"""Fakes of a vault and of what opens its repositories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.backups.credentials import RepositoryCredentials, make_credentials, make_successor
from orchestrator.backups.documents import Snapshot, VaultDescription
from orchestrator.errors import ToolError
from orchestrator.ports.backups import Keep, Receipt
from orchestrator.ports.run import Clock
from stacks.outputs import ServerOutput


@dataclass
class FakeStore:
    """A vault in memory; a receipt is what `arrive` made."""

    clock: Clock
    address: str = "10.42.0.2"
    repositories: list[str] = field(default_factory=list)
    arrived: list[Receipt] = field(default_factory=list)
    enrolled: list[RepositoryCredentials] = field(default_factory=list)
    chains: list[tuple[str, str]] = field(default_factory=list)
    lying: dict[str, list[Snapshot]] = field(default_factory=dict)
    """What each repository holds, by its id."""
    guests: list[str] = field(default_factory=list)
    """HTTP users that are let in for a while."""
    loans: list[str] = field(default_factory=list)
    broken: str = ""
    """What it answers when it is asked for the records of a repository that nobody can read."""
    away: str = ""
    """What it answers to everything about chains while it cannot be reached."""

    @property
    def server(self) -> ServerOutput:
        return ServerOutput(
            name="vault-1", group="vault", network="backup", incarnation="f" * 32, address=self.address,
            ssh_host=self.address, ssh_port=22, ssh_user="steward", host_key="ssh-ed25519 AAAA", published={},
        )  # fmt: skip

    def enrol_chain(self, chain: str, password: str) -> None:
        if self.away:
            raise ToolError(self.server.name, self.away)
        self.chains.append((chain, password))
        self.repositories.append(chain)

    def describe(self) -> VaultDescription:
        return VaultDescription(
            schema_="steward.vault/1",
            certificate="PEM",
            fingerprint="f",
            port=8443,
            repositories=list(self.repositories),
        )

    def append_only(self) -> bool | None:
        return True

    def enrol(self, credentials: RepositoryCredentials) -> None:
        self.enrolled.append(credentials)
        self.repositories.append(credentials.id)

    def receipts(self) -> Sequence[Receipt]:
        return list(self.arrived)

    def snapshots(self, credentials: RepositoryCredentials) -> Sequence[Snapshot]:
        if self.broken:
            raise ToolError(self.server.name, self.broken)
        return list(self.lying.get(credentials.id, ()))

    def lend(self, owner: RepositoryCredentials, guest: RepositoryCredentials, keep: Keep) -> None:
        keep(guest.model_copy(update={"key": "9" * 64}))
        self.guests.append(guest.http_user)
        self.loans.append(f"lend {guest.id[:4]}")

    def expel(self, retiring: RepositoryCredentials) -> None:
        if self.away:
            raise ToolError(self.server.name, self.away)
        self.guests = [each for each in self.guests if each != retiring.http_user]
        self.loans.append(f"expel {retiring.id[:4]}")

    def arrive(self, repository: str, snapshot: str, size: int = 1000) -> Receipt:
        """A snapshot comes in now."""
        receipt = Receipt(repository, snapshot, self.clock.now(), size)
        self.arrived.append(receipt)
        return receipt


@dataclass
class FakeCredentials:
    """Repository credentials in memory."""

    known: dict[str, RepositoryCredentials] = field(default_factory=dict)
    let_in: dict[str, RepositoryCredentials] = field(default_factory=dict)

    def load(self, repository: str) -> RepositoryCredentials | None:
        return self.known.get(repository)

    def create(self, repository: str, server: str, stack: str, at: datetime) -> RepositoryCredentials:
        self.known[repository] = make_credentials(repository, server, stack, "acme-vault", at)
        return self.known[repository]

    def all(self) -> Sequence[RepositoryCredentials]:
        return list(self.known.values())

    def guest(self, repository: str, at: datetime) -> RepositoryCredentials:
        return make_successor(self.known[repository], "9" * 32, at)

    def keep_lent(self, guest: RepositoryCredentials) -> None:
        self.let_in[guest.id] = guest

    def lent(self, stack: str) -> Sequence[RepositoryCredentials]:
        return [each for each in self.let_in.values() if each.stack == stack]

    def forget_lent(self, repository: str) -> None:
        self.let_in.pop(repository, None)

    def place(self, repository: str) -> str:
        return f"keys/{repository}.json"
