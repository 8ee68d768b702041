"""Secrets that Steward makes, one file each below the stack's keys: in use, to come, and on the way out."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.errors import InputError
from orchestrator.inventory.supplies import Login
from orchestrator.ports.rotation import Stage
from orchestrator.private_file import write_private
from orchestrator.redaction import know

_BYTES = 32


class _Issued(BaseModel):
    """A password, and which of the two logins it opens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Literal[1, 2]
    password: str


class _Record(BaseModel):
    """All of one secret; written whole, so a stop leaves it before or after a step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    in_use: _Issued
    coming: _Issued | None = None
    retiring: _Issued | None = None
    closed: _Issued | None = None


class LoginBook:
    """Implements `ports.rotation.RotatingLogins`; a secret is made when it is first asked for."""

    def __init__(self, keys: Path) -> None:
        self._folder = keys / "generated"

    def password(self, name: str) -> str:
        """The secret in use."""
        return self._record(name).in_use.password

    def current(self, name: str) -> Login:
        """The login in use."""
        return _login(name, self._record(name).in_use)

    def opened(self, name: str) -> list[Login]:
        """Every login that is to be open now, the one in use first."""
        record = self._record(name)
        return [_login(name, each) for each in (record.in_use, record.coming, record.retiring) if each]

    def stage(self, name: str) -> Stage:
        """How far a rotation came."""
        record = self._record(name)
        for stage, left in (
            ("begun", record.coming),
            ("switched", record.retiring),
            ("closed", record.closed),
        ):
            if left is not None:
                return stage  # type: ignore[return-value]  # the names of `Stage`
        return "resting"

    def prepare(self, name: str) -> Login:
        """The login to come, made and kept on first call."""
        record = self._record(name)
        coming = record.coming or _made(2 if record.in_use.place == 1 else 1)
        self._write(name, record.model_copy(update={"coming": coming}))
        return _login(name, coming)

    def promote(self, name: str) -> None:
        """The login to come is in use; the one before is retiring."""
        record = self._record(name)
        if record.coming is not None:
            self._write(name, _Record(in_use=record.coming, retiring=record.in_use))

    def close(self, name: str) -> None:
        """The retiring login is no longer to be open."""
        record = self._record(name)
        self._write(name, _Record(in_use=record.in_use, closed=record.retiring or record.closed))

    def leaving(self, name: str) -> Login | None:
        """The login before the one in use, open or closed, until it is forgotten."""
        record = self._record(name)
        left = record.retiring or record.closed
        return _login(name, left) if left else None

    def forget(self, name: str) -> None:
        """The database was seen to refuse it."""
        self._write(name, _Record(in_use=self._record(name).in_use))

    def _record(self, name: str) -> _Record:
        path = self._path(name)
        try:
            record = _Record.model_validate_json(path.read_text())
        except FileNotFoundError:
            record = _Record(in_use=_made(1))
            self._write(name, record)
        except ValidationError as problem:
            raise InputError(
                "secrets", f"the record of '{name}' cannot be read", place=str(path),
                next_step="Restore that file from your backup of STEWARD_HOME.",
            ) from problem  # fmt: skip
        know(
            *(
                each.password
                for each in (record.in_use, record.coming, record.retiring, record.closed)
                if each
            )
        )
        return record

    def _write(self, name: str, record: _Record) -> None:
        know(*(each.password for each in (record.in_use, record.coming) if each))
        write_private(self._path(name), record.model_dump_json())

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _made(place: Literal[1, 2]) -> _Issued:
    return _Issued(place=place, password=secrets.token_urlsafe(_BYTES))


def _login(name: str, issued: _Issued) -> Login:
    return Login(name if issued.place == 1 else f"{name}_2", issued.password)
