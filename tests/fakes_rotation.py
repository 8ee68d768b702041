"""Fakes of the ports of rotations: keys and credentials in memory, and a store that remembers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from orchestrator.backups.credentials import RepositoryCredentials, make_successor
from orchestrator.inventory.supplies import Login
from orchestrator.ports.hosts import HostShell
from orchestrator.ports.rotation import KeyPair, Rotation, Stage
from stacks.outputs import ServerOutput
from tests.fakes import FakeCredentials, FakeShell

OLD = KeyPair(Path("old"), "ssh-ed25519 AAAAold steward@acme-demo")
NEW = KeyPair(Path("new"), "ssh-ed25519 AAAAnew steward@acme-demo")


@dataclass
class FakeRing:
    """Two keys; `going` is the one on its way out."""

    used: KeyPair = OLD
    going: KeyPair | None = None

    def current(self) -> KeyPair:
        return self.used

    def prepare(self) -> KeyPair:
        return NEW

    def promote(self) -> None:
        self.used, self.going = NEW, self.used

    def retiring(self) -> KeyPair | None:
        return self.going

    def forget_retiring(self) -> None:
        self.going = None


@dataclass
class FakeRotatingCredentials(FakeCredentials):
    """Repository credentials in memory, while they change."""

    coming: dict[str, RepositoryCredentials] = field(default_factory=dict)
    going: dict[str, RepositoryCredentials] = field(default_factory=dict)

    def prepare(self, repository: str, at: datetime) -> RepositoryCredentials:
        made = make_successor(self.known[repository], "ab" * 16, at)
        return self.coming.setdefault(repository, made)

    def promote(self, repository: str, old_key: str) -> None:
        self.going[repository] = self.known[repository].model_copy(update={"key": old_key})
        self.known[repository] = self.coming.pop(repository)

    def retiring(self, repository: str) -> RepositoryCredentials | None:
        return None if repository in self.coming else self.going.get(repository)

    def forget_retiring(self, repository: str) -> None:
        self.going.pop(repository, None)


@dataclass
class FakeRotatingStore:
    """What a vault was asked, in order."""

    asked: list[str] = field(default_factory=list)

    def admit(self, current: RepositoryCredentials, coming: RepositoryCredentials) -> str:
        self.asked.append(f"admit {coming.http_user}")
        return "1" * 64

    def expel(self, retiring: RepositoryCredentials) -> None:
        self.asked.append(f"expel {retiring.http_user} {retiring.key[:4]}")


@dataclass
class FakeLogins:
    """One user's two logins in memory."""

    used: Login = field(default_factory=lambda: Login("shop_app", "first password"))
    coming: Login | None = None
    left: Login | None = None
    shut: bool = False

    def stage(self, _name: str) -> Stage:
        if self.coming:
            return "begun"
        return ("closed" if self.shut else "switched") if self.left else "resting"

    def current(self, _name: str) -> Login:
        return self.used

    def prepare(self, _name: str) -> Login:
        self.coming = self.coming or Login("shop_app_2", "second password")
        return self.coming

    def promote(self, _name: str) -> None:
        assert self.coming is not None
        self.used, self.left, self.coming = self.coming, self.used, None

    def leaving(self, _name: str) -> Login | None:
        return self.left

    def close(self, _name: str) -> None:
        self.shut = True

    def forget(self, _name: str) -> None:
        self.left, self.shut = None, False


@dataclass
class FakeHostKeys:
    """Host keys that are known beside the pinned ones."""

    known: dict[str, str] = field(default_factory=dict)

    def expect(self, keys: Mapping[str, str]) -> None:
        self.known |= keys

    def settle(self, servers: Sequence[ServerOutput]) -> None:
        for server in servers:
            self.known.pop(server.incarnation, None)


@dataclass
class Rotating:
    """A rotation made of fakes, and what it left behind."""

    ring: FakeRing = field(default_factory=FakeRing)
    keeper: FakeRotatingCredentials = field(default_factory=FakeRotatingCredentials)
    store: FakeRotatingStore = field(default_factory=FakeRotatingStore)
    users: FakeLogins = field(default_factory=FakeLogins)
    logins: dict[Path, FakeShell] = field(default_factory=dict)
    noted: list[tuple[str, str, str]] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    hosts: FakeHostKeys = field(default_factory=FakeHostKeys)
    pinned: list[tuple[str, str, str]] = field(default_factory=list)

    def ports(self) -> Rotation:
        """As the phases get it."""

        @contextmanager
        def login(_servers: Sequence[ServerOutput], private: Path) -> Iterator[HostShell]:
            yield self.logins[private]

        return Rotation(
            ring=self.ring,
            login=login,
            store=lambda _name: self.store,
            credentials=lambda _name: self.keeper,
            logins=self.users,
            note=lambda *step: self.noted.append(step),
            host_keys=self.hosts,
            pin=lambda server, key: self.pinned.append((server.name, server.host_key, key)),
            record_admin_key=lambda: self.recorded.append(self.ring.used.public),
        )
