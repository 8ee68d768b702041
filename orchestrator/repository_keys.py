"""Repository credentials on disk, behind their port: one file each, in the vault stack's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from orchestrator.backups.credentials import (
    RepositoryCredentials,
    credentials_path,
    load_credentials,
    make_credentials,
    save_credentials,
)
from orchestrator.private_file import write_private
from orchestrator.redaction import know


class RepositoryKeys:
    """Implements `ports.CredentialStore`."""

    def __init__(self, vault_keys: Path, vault_stack: str) -> None:
        self._keys = vault_keys
        self._vault_stack = vault_stack

    def load(self, repository: str) -> RepositoryCredentials | None:
        """None when that repository was never enrolled."""
        found = load_credentials(self._keys, repository)
        if found is not None:
            know(found.password, found.http_password)
        return found

    def create(self, repository: str, server: str, stack: str, at: datetime) -> RepositoryCredentials:
        """Make credentials and keep them before anything uses them."""
        made = make_credentials(repository, server, stack, self._vault_stack, at)
        know(made.password, made.http_password)
        save_credentials(self._keys, made, write_private)
        return made

    def place(self, repository: str) -> str:
        """Where they lie, for messages."""
        return str(credentials_path(self._keys, repository))
