"""What the phases ask of a vault, and of what opens the repositories in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.documents import VaultDescription
from stacks.outputs import ServerOutput


@dataclass(frozen=True)
class Receipt:
    """A snapshot as the vault saw it arrive."""

    repository: str
    snapshot: str
    arrived_at: datetime
    bytes: int


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

    def place(self, repository: str) -> str:
        """Where they lie, for messages."""
        ...
