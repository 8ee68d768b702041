"""`meta/checks.yml` of a project's own role: what must be true where it is used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FILE = Path("meta") / "checks.yml"
KINDS = ("service", "timer", "listening", "file", "command", "http")

_Unit = Annotated[str, Field(pattern=r"^[A-Za-z0-9@_.-]{1,100}$")]
_AbsolutePath = Annotated[str, Field(pattern=r"^/[^\x00-\x1f]{0,400}$")]
_Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,200}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Variable(_Part):
    """The value that the fleet, else the role's defaults, give one of the role's variables."""

    variable: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


class FileCheck(_Part):
    """A file or folder that exists, with mode and owner where they are said."""

    path: _AbsolutePath
    mode: Annotated[str, Field(pattern=r"^0[0-7]{3}$")] | None = None
    owner: _Unit | None = None
    group: _Unit | None = None


class CommandCheck(_Part):
    """A command that is run as root and must end as said."""

    argv: Annotated[tuple[_Line, ...], Field(min_length=1, max_length=30)]
    exit: Annotated[int, Field(strict=True, ge=0, le=255)] = 0
    contains: str = ""


class HttpCheck(_Part):
    """A request from the server to itself."""

    port: Annotated[int, Field(strict=True, ge=1, le=65_535)] | Variable
    path: Annotated[str, Field(pattern=r"^/[!-~]{0,200}$")] = "/"
    content_type: str = ""


class OwnCheck(_Part):
    """One entry: exactly one kind, and a title for the report where the kind does not say enough."""

    title: _Line | None = None
    service: _Unit | None = None
    timer: _Unit | None = None
    listening: Annotated[int, Field(strict=True, ge=1, le=65_535)] | Variable | None = None
    file: FileCheck | None = None
    command: CommandCheck | None = None
    http: HttpCheck | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> OwnCheck:
        said = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(said) != 1:
            raise ValueError(f"say exactly one of {', '.join(KINDS)}, not {', '.join(said) or 'none'}")
        return self

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    def variables(self) -> tuple[str, ...]:
        """The role's variables whose values it needs."""
        parts: list[Any] = [self.listening, self.http.port if self.http else None]
        return tuple(part.variable for part in parts if isinstance(part, Variable))


class _Document(_Part):
    version: Literal[1] = 1
    checks: Annotated[tuple[OwnCheck, ...], Field(max_length=100)]


def read_checks(role: Path) -> tuple[Sequence[OwnCheck], str]:
    """The checks of a role's folder, and what is wrong with their file; a role without the file has none."""
    path = role / FILE
    if not path.is_file():
        return (), ""
    try:
        return _Document.model_validate(yaml.safe_load(path.read_text())).checks, ""
    except (OSError, ValueError, yaml.YAMLError) as problem:
        return (), _told(problem)


def _told(problem: Exception) -> str:
    if not isinstance(problem, ValidationError):
        return f"is not valid YAML: {' '.join(str(problem).split())[:200]}"
    first = problem.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}"[:200] if place else str(first["msg"])[:200]
