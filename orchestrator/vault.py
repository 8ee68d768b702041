"""The backup store behind its port: what a vault server says and does, asked over its stack's own shell."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import bcrypt

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.documents import StoreReceipts, VaultDescription, read_document
from orchestrator.backups.restic import init_argv, repository_files
from orchestrator.ports import HostShell, Receipt
from orchestrator.process import run
from orchestrator.scratch import scratch
from stacks.outputs import ServerOutput

_TOOL = ["sudo", "-n", "/usr/local/sbin/steward-vault"]
_SECONDS = 60.0
_BCRYPT_ROUNDS = 8
"""Enough: the passwords are 256 random bits, which no number of rounds makes easier to guess."""


class VaultStore:
    """Implements `ports.BackupStore`."""

    def __init__(self, shell: HostShell, server: ServerOutput, restic: Path) -> None:
        self._shell = shell
        self._server = server
        self._restic = restic
        self.address = server.address

    def describe(self) -> VaultDescription:
        """Certificate, port and the repositories there are."""
        done = self._shell.run(self._server, [*_TOOL, "describe"], timeout=_SECONDS)
        return read_document(VaultDescription, done.stdout, self._server.name)

    def enrol(self, credentials: RepositoryCredentials) -> None:
        """Make the repository here and carry only its files over, so that the vault never sees a password."""
        request = {
            "id": credentials.id,
            "user": credentials.id,
            "htpasswd_line": f"{credentials.id}:{_bcrypt(credentials.http_password)}",
            "files": self._fresh_repository(credentials.password),
        }
        self._shell.run(self._server, [*_TOOL, "enrol"], timeout=_SECONDS, stdin=json.dumps(request))

    def receipts(self) -> Sequence[Receipt]:
        """Every snapshot that lies in the store, with the time at which it arrived there."""
        done = self._shell.run(self._server, [*_TOOL, "receipts"], timeout=_SECONDS)
        found = read_document(StoreReceipts, done.stdout, self._server.name)
        return [Receipt(r.repository, r.snapshot, r.arrived_at, r.bytes) for r in found.receipts]

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


def _bcrypt(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()
