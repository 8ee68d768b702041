"""The credentials of one repository: made here, kept with the vault's stack, never in Pulumi."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import InputError

WritePrivate = Callable[[Path, str], None]


class RepositoryCredentials(BaseModel):
    """One repository: its id is the incarnation id of the server that writes to it. Holds secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["steward.repository/1"] = Field("steward.repository/1", alias="schema")
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    server: str
    stack: str
    vault_stack: str
    created_at: datetime
    password: str = Field(repr=False)
    http_password: str = Field(repr=False)
    user: str = Field("", pattern=r"^([0-9a-f]{32})?$")
    """Its HTTP user and folder at the vault; '' for one that was never rotated, whose user is the id."""
    key: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """The file in the repository that its password opens, where a rotation had to know it."""

    @property
    def http_user(self) -> str:
        """The user that the vault knows."""
        return self.user or self.id


class LentRepository(BaseModel):
    """What a host is told so that it can read a repository that is not its own, once. Holds secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    user: str
    http_password: str = Field(repr=False)
    password: str = Field(repr=False)
    certificate: str
    plan_id: str


def credentials_path(vault_keys: Path, repository: str) -> Path:
    """Where the credentials of a repository lie: with the vault, because they must outlive the fleet."""
    return vault_keys / "repositories" / f"{repository}.json"


def load_credentials(vault_keys: Path, repository: str) -> RepositoryCredentials | None:
    """The credentials of a repository, None when it was never enrolled; raises InputError when unreadable."""
    path = credentials_path(vault_keys, repository)
    if not path.exists():
        return None
    try:
        return RepositoryCredentials.model_validate_json(path.read_text())
    except (OSError, ValidationError) as problem:
        raise InputError(
            "repository credentials", "cannot be read", place=str(path),
            next_step="Restore the file from your backup of STEWARD_HOME.",
        ) from problem  # fmt: skip


def all_credentials(vault_keys: Path) -> list[RepositoryCredentials]:
    """The credentials of every repository of a vault, in order; raises InputError for an unreadable one."""
    names = sorted(path.stem for path in (vault_keys / "repositories").glob("*.json"))
    found = (load_credentials(vault_keys, name) for name in names)
    return [each for each in found if each is not None]


def make_credentials(
    repository: str, server: str, stack: str, vault_stack: str, at: datetime
) -> RepositoryCredentials:
    """New random credentials."""
    return RepositoryCredentials(
        id=repository,
        server=server,
        stack=stack,
        vault_stack=vault_stack,
        created_at=at,
        password=secrets.token_urlsafe(32),
        http_password=secrets.token_urlsafe(32),
    )


def make_successor(current: RepositoryCredentials, user: str, at: datetime) -> RepositoryCredentials:
    """New passwords, and a user of its own so that the vault can know both, for the same repository."""
    fresh = make_credentials(current.id, current.server, current.stack, current.vault_stack, at)
    return fresh.model_copy(update={"user": user})


def save_credentials(
    vault_keys: Path, credentials: RepositoryCredentials, write_private: WritePrivate
) -> None:
    """Keep the credentials, readable by this user alone."""
    text = json.dumps(credentials.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True)
    write_private(credentials_path(vault_keys, credentials.id), text + "\n")
