"""What the phases ask of a vault, and of what opens the repositories in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from orchestrator.backups.credentials import RepositoryCredentials
    from orchestrator.backups.documents import Snapshot, VaultDescription
    from stacks.outputs import ServerOutput


@dataclass(frozen=True)
class Receipt:
    """A snapshot as the vault saw it arrive."""

    repository: str
    snapshot: str
    arrived_at: datetime
    bytes: int


Keep = Callable[["RepositoryCredentials"], None]
"""Puts credentials where a later run finds them."""


class BackupStore(Protocol):
    """A vault: repositories, and what arrived in them."""

    address: str
    server: ServerOutput

    def describe(self) -> VaultDescription:
        """Certificate, port and the repositories there are."""
        ...

    def append_only(self) -> bool | None:
        """Whether what serves the store refuses to delete, as it runs now; None where nobody can tell."""
        ...

    def enrol(self, credentials: RepositoryCredentials) -> None:
        """Make a repository; the store sees no password."""
        ...

    def enrol_chain(self, chain: str, password: str) -> None:
        """Make room for the heads of an evidence chain; nobody can remove what lies there."""
        ...

    def snapshots(self, credentials: RepositoryCredentials) -> Sequence[Snapshot]:
        """What lies in one repository, read here with its password; no host learns of it."""
        ...

    def lend(self, owner: RepositoryCredentials, guest: RepositoryCredentials, keep: Keep) -> None:
        """Let the guest into the owner's repository, until it is expelled.

        The guest is kept, with its key's name, before the vault hears of it: no stop leaves one unknown.
        """
        ...

    def expel(self, retiring: RepositoryCredentials) -> None:
        """Take away what these credentials open; the store refuses to take away the last of anything."""
        ...

    def receipts(self) -> Sequence[Receipt]:
        """Every snapshot that lies in the store."""
        ...


class CredentialStore(Protocol):
    """The repository credentials of one vault."""

    def load(self, repository: str) -> RepositoryCredentials | None:
        """None when that repository was never enrolled."""
        ...

    def create(self, repository: str, server: str, stack: str, at: datetime) -> RepositoryCredentials:
        """Make credentials and keep them before anything uses them."""
        ...

    def all(self) -> Sequence[RepositoryCredentials]:
        """Those of every repository of the vault, of all stacks."""
        ...

    def guest(self, repository: str, at: datetime) -> RepositoryCredentials:
        """New credentials for somebody who is let into a repository for a while; not kept yet."""
        ...

    def keep_lent(self, guest: RepositoryCredentials) -> None:
        """Remember whom the vault lets in, until `forget_lent`."""
        ...

    def lent(self, stack: str) -> Sequence[RepositoryCredentials]:
        """Guests in repositories of this stack that were not forgotten yet."""
        ...

    def forget_lent(self, repository: str) -> None:
        """The vault lets no guest into this repository any more."""
        ...

    def place(self, repository: str) -> str:
        """Where they lie, for messages."""
        ...
