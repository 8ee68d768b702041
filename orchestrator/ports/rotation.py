"""What changing credentials asks of the outside world; each keeps old and new side by side until the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.inventory.supplies import Login as DatabaseLogin
from orchestrator.ports.hosts import HostShell
from stacks.outputs import ServerOutput

Kind = Literal["ssh", "repository", "database", "host-key"]
State = Literal["begun", "switched", "finished"]
"""begun: the new one is let in; switched: it is in use, the old one still works; finished: that is gone."""

Stage = Literal["resting", "begun", "switched", "closed"]
"""closed: the one before is to be refused, and was not yet seen refused."""


@dataclass(frozen=True)
class KeyPair:
    """One SSH key: where its private half lies, and the public half as a line of authorized_keys."""

    private: Path
    public: str


class KeyRing(Protocol):
    """The admin keys of one stack, on disk: what is there says how far a rotation came."""

    def current(self) -> KeyPair:
        """The key in use."""
        ...

    def prepare(self) -> KeyPair:
        """The key to come, made on first call."""
        ...

    def promote(self) -> None:
        """The key to come is the one in use from now on; the one before it is kept as retiring."""
        ...

    def retiring(self) -> KeyPair | None:
        """The key before the one in use, while any host may still let it in."""
        ...

    def forget_retiring(self) -> None:
        """No host lets it in any more."""
        ...


class KnownHostKeys(Protocol):
    """What whoever connects from here knows of servers beside their pinned host keys."""

    def expect(self, keys: Mapping[str, str]) -> None:
        """These public keys, by server incarnation, may be shown too."""
        ...

    def settle(self, servers: Sequence[ServerOutput]) -> None:
        """These show the keys that they are given with, and no other."""
        ...


class RotatingCredentials(Protocol):
    """The credentials of the repositories of one vault, while they change."""

    def load(self, repository: str) -> RepositoryCredentials | None:
        """Those in use."""
        ...

    def prepare(self, repository: str, at: datetime) -> RepositoryCredentials:
        """Those to come, made and kept on first call."""
        ...

    def promote(self, repository: str, old_key: str) -> None:
        """Those to come are in use; the ones before are kept as retiring, with the name of their key."""
        ...

    def retiring(self, repository: str) -> RepositoryCredentials | None:
        """Those before the ones in use, while the vault still lets them in."""
        ...

    def forget_retiring(self, repository: str) -> None:
        """The vault lets them in no more."""
        ...


class RotatingLogins(Protocol):
    """The logins of database users whose passwords Steward makes; each user has two that take turns."""

    def stage(self, name: str) -> Stage:
        """How far a rotation came."""
        ...

    def current(self, name: str) -> DatabaseLogin:
        """The one in use."""
        ...

    def prepare(self, name: str) -> DatabaseLogin:
        """The one to come, made and kept on first call."""
        ...

    def promote(self, name: str) -> None:
        """The one to come is in use; the one before is retiring."""
        ...

    def leaving(self, name: str) -> DatabaseLogin | None:
        """The one before the one in use, until it is forgotten."""
        ...

    def close(self, name: str) -> None:
        """The retiring one is no longer to be open."""
        ...

    def forget(self, name: str) -> None:
        """The database was seen to refuse it."""
        ...


class RotatingStore(Protocol):
    """A vault that can let in another credential of a repository, and take one away."""

    def admit(self, current: RepositoryCredentials, coming: RepositoryCredentials) -> str:
        """Both open the repository from now on; returns the name of the current one's key."""
        ...

    def expel(self, retiring: RepositoryCredentials) -> None:
        """Take away what the retiring one opens; the store refuses to take away the last of anything."""
        ...


Login = Callable[[Sequence[ServerOutput], Path], AbstractContextManager[HostShell]]
"""(servers, private key) -> a shell that logs in with that key alone, on connections of its own."""


@dataclass(frozen=True)
class Rotation:
    """Everything a rotation needs beside the adapters of every run."""

    ring: KeyRing
    login: Login
    store: Callable[[str], RotatingStore]
    credentials: Callable[[str], RotatingCredentials]
    logins: RotatingLogins
    note: Callable[[Kind, str, State], None]
    """(kind, subject, state): kept in the ledger."""
    host_keys: KnownHostKeys
    pin: Callable[[ServerOutput, str], None]
    """(server, public key): pinned in the place of the one that it was known by."""
    record_admin_key: Callable[[], None]
    """Write the public key in use into the stack's configuration."""
