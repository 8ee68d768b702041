"""Repository credentials on disk, behind their port: one file each, in the vault stack's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from orchestrator.backups.credentials import (
    RepositoryCredentials,
    all_credentials,
    credentials_path,
    load_credentials,
    make_credentials,
    make_successor,
    save_credentials,
)
from orchestrator.clock import new_id
from orchestrator.errors import InputError
from orchestrator.private_file import write_private
from orchestrator.redaction import know


class RepositoryKeys:
    """Implements `ports.backups.CredentialStore` and `ports.rotation.RotatingCredentials`."""

    def __init__(self, vault_keys: Path, vault_stack: str) -> None:
        self._keys = vault_keys
        self._vault_stack = vault_stack
        self._coming, self._retiring = vault_keys / "coming", vault_keys / "retiring"
        self._lent = vault_keys / "lent"

    def load(self, repository: str) -> RepositoryCredentials | None:
        """None when that repository was never enrolled."""
        return self._of(self._keys, repository)

    def create(self, repository: str, server: str, stack: str, at: datetime) -> RepositoryCredentials:
        """Make credentials and keep them before anything uses them."""
        made = make_credentials(repository, server, stack, self._vault_stack, at)
        know(made.password, made.http_password)
        save_credentials(self._keys, made, write_private)
        return made

    def prepare(self, repository: str, at: datetime) -> RepositoryCredentials:
        """Those to come, made and kept on first call."""
        coming, current = self._of(self._coming, repository), self.load(repository)
        if coming is None and current is not None:
            coming = make_successor(current, new_id(), at)
            know(coming.password, coming.http_password)
            save_credentials(self._coming, coming, write_private)
        if coming is None:
            raise InputError("repository credentials", "are not here", place=self.place(repository))
        return coming

    def promote(self, repository: str, old_key: str) -> None:
        """Those to come are in use; the ones before are kept as retiring, with the name of their key."""
        current = self.load(repository)
        if current is not None:
            save_credentials(self._retiring, current.model_copy(update={"key": old_key}), write_private)
        credentials_path(self._coming, repository).replace(credentials_path(self._keys, repository))

    def retiring(self, repository: str) -> RepositoryCredentials | None:
        """None also where a stop came before the ones to come took their place."""
        if credentials_path(self._coming, repository).exists():
            return None
        return self._of(self._retiring, repository)

    def forget_retiring(self, repository: str) -> None:
        """The vault lets them in no more."""
        credentials_path(self._retiring, repository).unlink(missing_ok=True)

    def all(self) -> list[RepositoryCredentials]:
        """Those of every repository of the vault, of all stacks."""
        return all_credentials(self._keys)

    def guest(self, repository: str, at: datetime) -> RepositoryCredentials:
        """New credentials for somebody who is let into a repository for a while; not kept yet."""
        current = self.load(repository)
        if current is None:
            raise InputError("repository credentials", "are not here", place=self.place(repository))
        made = make_successor(current, new_id(), at)
        know(made.password, made.http_password)
        return made

    def keep_lent(self, guest: RepositoryCredentials) -> None:
        """Remember whom the vault lets in, until `forget_lent`."""
        save_credentials(self._lent, guest, write_private)

    def lent(self, stack: str) -> list[RepositoryCredentials]:
        """Guests in repositories of this stack that were not forgotten yet."""
        return [each for each in all_credentials(self._lent) if each.stack == stack]

    def forget_lent(self, repository: str) -> None:
        """The vault lets no guest into this repository any more."""
        credentials_path(self._lent, repository).unlink(missing_ok=True)

    def _of(self, folder: Path, repository: str) -> RepositoryCredentials | None:
        found = load_credentials(folder, repository)
        if found is not None:
            know(found.password, found.http_password)
        return found

    def place(self, repository: str) -> str:
        """Where they lie, for messages."""
        return str(credentials_path(self._keys, repository))
