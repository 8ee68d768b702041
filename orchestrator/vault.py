"""The backup store behind its port: what a vault server says and does, asked over its stack's own shell."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import bcrypt

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.documents import (
    Snapshot,
    StoreKeys,
    StoreReceipts,
    StoreSnapshots,
    VaultDescription,
    current_key,
    read_document,
    read_snapshots,
)
from orchestrator.backups.restic import (
    init_argv,
    key_add_argv,
    key_list_argv,
    repository_files,
    snapshots_argv,
)
from orchestrator.diagnosis.causes import Failure, Fault, cause_of
from orchestrator.errors import ToolError
from orchestrator.phases.diagnose import look
from orchestrator.ports.backups import Keep, Receipt
from orchestrator.ports.hosts import HostShell
from orchestrator.private_file import write_private
from orchestrator.process import run
from orchestrator.scratch import scratch
from stacks.outputs import ServerOutput

Records = TypeVar("Records", StoreKeys, StoreSnapshots)

_TOOL = ["sudo", "-n", "/usr/local/sbin/steward-vault"]
_SERVES = [
    *("sudo", "-n", "sh", "-c"),
    "tr '\\0' ' ' < /proc/$(systemctl show --property MainPID --value steward-vault-store.service)/cmdline",
]
_ROOT = "/srv/backup"
_SECONDS = 60.0
_BCRYPT_ROUNDS = 8
"""Enough: the passwords are 256 random bits, which no number of rounds makes easier to guess."""


class VaultStore:
    """Implements `ports.backups.BackupStore` and `ports.rotation.RotatingStore`."""

    def __init__(self, shell: HostShell, server: ServerOutput, restic: Path) -> None:
        self._shell = shell
        self._server = self.server = server
        self._restic = restic
        self.address = server.address

    def describe(self) -> VaultDescription:
        """Certificate, port and the repositories there are."""
        done = self._shell.run(self._server, [*_TOOL, "describe"], timeout=_SECONDS)
        return read_document(VaultDescription, done.stdout, self._server.name)

    def append_only(self) -> bool | None:
        """Whether the program that serves the store runs append-only, by its own command line."""
        done = self._shell.run(self._server, _SERVES, timeout=_SECONDS, check=False)
        words = done.stdout.split()
        return "--append-only" in words if done.returncode == 0 and words else None

    def enrol(self, credentials: RepositoryCredentials) -> None:
        """Make the repository here and carry only its files over, so that the vault never sees a password."""
        request = {
            "id": credentials.id,
            "user": credentials.id,
            "htpasswd_line": f"{credentials.id}:{_bcrypt(credentials.http_password)}",
            "files": self._fresh_repository(credentials.password),
        }
        self._shell.run(self._server, [*_TOOL, "enrol"], timeout=_SECONDS, stdin=json.dumps(request))

    def enrol_chain(self, chain: str, password: str) -> None:
        """Make room for the heads of an evidence chain, under its id; what lies there already stays.

        No backup lies in it, so its configuration and key are no secrets: they only say whose it is.
        """
        told = f"steward evidence {chain}\n".encode()
        key = hashlib.sha256(told).hexdigest()
        encoded = base64.b64encode(told).decode()
        request = {
            "id": chain,
            "user": chain,
            "htpasswd_line": f"{chain}:{_bcrypt(password)}",
            "files": {"config": encoded, f"keys/{key}": encoded},
        }
        self._shell.run(self._server, [*_TOOL, "enrol"], timeout=_SECONDS, stdin=json.dumps(request))

    def admit(self, current: RepositoryCredentials, coming: RepositoryCredentials) -> str:
        """Both open the repository from now on; returns the name of the current one's key.

        The new key is made here, from the repository's configuration and keys alone: the vault sees neither
        password, and no host may add a key.
        """
        old_key, fresh = self._further_key(current, coming)
        self._admit(coming, fresh)
        return old_key

    def lend(self, owner: RepositoryCredentials, guest: RepositoryCredentials, keep: Keep) -> None:
        """Let the guest into the owner's repository, with a key and a user of its own."""
        _, fresh = self._further_key(owner, guest)
        (name,) = fresh
        keep(guest.model_copy(update={"key": name.removeprefix("keys/")}))
        self._admit(guest, fresh)

    def _further_key(
        self, current: RepositoryCredentials, coming: RepositoryCredentials
    ) -> tuple[str, dict[str, str]]:
        found = self._records(StoreKeys, current.id)
        with scratch("keys") as place:
            return self._new_key(place, found, current.password, coming.password)

    def _admit(self, coming: RepositoryCredentials, fresh: dict[str, str]) -> None:
        request = {
            "id": coming.id,
            "user": coming.http_user,
            "htpasswd_line": f"{coming.http_user}:{_bcrypt(coming.http_password)}",
            "files": fresh,
        }
        self._shell.run(self._server, [*_TOOL, "admit"], timeout=_SECONDS, stdin=json.dumps(request))

    def expel(self, retiring: RepositoryCredentials) -> None:
        """Take away what the retiring one opens; the store refuses to take away the last of anything."""
        request = json.dumps({"id": retiring.id, "user": retiring.http_user, "key": retiring.key})
        self._shell.run(self._server, [*_TOOL, "expel"], timeout=_SECONDS, stdin=request)

    def snapshots(self, credentials: RepositoryCredentials) -> Sequence[Snapshot]:
        """What lies in one repository: its encrypted records are fetched, and opened here."""
        found = self._records(StoreSnapshots, credentials.id, "--snapshots")
        with scratch("snapshots") as place:
            home, secret = _laid_out(place, found.files), place / "password"
            write_private(secret, credentials.password)
            argv = snapshots_argv(self._restic, home, secret)
            listed = run(argv, timeout=_SECONDS, redact=[credentials.password])
        return read_snapshots(listed.stdout, self._server.name)

    def _records(self, model: type[Records], repository: str, *more: str) -> Records:
        asked = [*_TOOL, "keys", "--repository", repository, *more]
        done = self._shell.run(self._server, asked, timeout=_SECONDS, check=False)
        if done.returncode != 0:
            raise ToolError(
                self._server.name, "the vault does not give out the records of a repository",
                got=done.stderr.strip()[-300:],
                next_step="Run steward up for the vault's fleet, which brings its program up to date.",
            )  # fmt: skip
        return read_document(model, done.stdout, self._server.name)

    def _new_key(self, place: Path, found: StoreKeys, old: str, new: str) -> tuple[str, dict[str, str]]:
        """Name of the key that the old password opens, and the file of one that the new password opens."""
        home = _laid_out(place, found.files)
        before = set(repository_files(home))
        secrets = place / "old", place / "new"
        for path, password in zip(secrets, (old, new), strict=True):
            write_private(path, password)
        listed = run(key_list_argv(self._restic, home, secrets[0]), timeout=_SECONDS, redact=[old, new])
        run(key_add_argv(self._restic, home, *secrets), timeout=_SECONDS, redact=[old, new])
        current = current_key(listed.stdout, self._server.name)
        old_key = next(name for name in before if name.startswith(f"keys/{current}"))
        added = set(repository_files(home)) - before
        files = {name: base64.b64encode((home / name).read_bytes()).decode() for name in added}
        return old_key.removeprefix("keys/"), files

    def receipts(self) -> Sequence[Receipt]:
        """Every snapshot that lies in the store, with the time at which it arrived there."""
        done = self._shell.run(self._server, [*_TOOL, "receipts"], timeout=_SECONDS)
        found = read_document(StoreReceipts, done.stdout, self._server.name)
        return [Receipt(r.repository, r.snapshot, r.arrived_at, r.bytes) for r in found.receipts]

    def cause_of(self, said: str) -> str:
        """What of the vault itself explains what a host was told by it; '' when nothing does."""
        cause = cause_of(Failure("backup", f"{said} {_ROOT}"), look(self._server, self._shell))
        return f"{self._server.name}: {cause}" if cause and cause.fault is Fault.DISK else ""

    def _fresh_repository(self, password: str) -> dict[str, str]:
        with scratch("repository") as folder:
            repository, secret = folder / "repository", folder / "password"
            secret.touch(mode=0o600)
            secret.write_text(password)
            run(init_argv(self._restic, repository, secret), timeout=_SECONDS, redact=[password])
            return {
                name: base64.b64encode((repository / name).read_bytes()).decode()
                for name in repository_files(repository)
            }


def _laid_out(place: Path, files: Mapping[str, str]) -> Path:
    """A repository of these files, without any content, in a new folder."""
    home = place / "repository"
    for name in ("keys", "locks", "data", "index", "snapshots"):
        (home / name).mkdir(parents=True)
    for name, encoded in files.items():
        (home / name).write_bytes(base64.b64decode(encoded))
    return home


def _bcrypt(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()
