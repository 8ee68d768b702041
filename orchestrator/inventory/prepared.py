"""`meta/prepared.yml` of a role: which packages may be in the image that its servers are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = Path("meta") / "prepared.yml"

_Package = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]{1,99}$")]
_Packages = Annotated[tuple[_Package, ...], Field(max_length=200)]
_Unit = Annotated[str, Field(pattern=r"^[A-Za-z0-9@_][A-Za-z0-9@_.-]{0,99}\.(service|socket)$")]
_Variable = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}(\.[a-z][a-z0-9_]{0,60})*$")]


@dataclass(frozen=True)
class Contents:
    """What a prepared image holds beside the base image."""

    packages: frozenset[str] = frozenset()
    boots: frozenset[str] = frozenset()
    """Units that start with the server, before its playbooks run; all others of these packages wait."""

    def with_all(self, others: Iterable[Contents]) -> Contents:
        """What several roles need together."""
        parts = [self, *others]
        return Contents(
            frozenset[str]().union(*(part.packages for part in parts)),
            frozenset[str]().union(*(part.boots for part in parts)),
        )


class Prepared(BaseModel):
    """The file: packages that every use of the role installs, and those that follow from its variables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    packages: _Packages = ()
    choices: Annotated[dict[_Variable, dict[str, _Packages]], Field(max_length=20)] = {}
    boots: Annotated[tuple[_Unit, ...], Field(max_length=20)] = ()

    def contents(self, values: Mapping[str, Any]) -> Contents:
        """What one use of the role needs; `values` are those of its variables, defaults included."""
        chosen = [
            package
            for path, packages in self.choices.items()
            for value in _values(values, path.split("."))
            for package in packages.get(value, ())
        ]
        return Contents(frozenset([*self.packages, *chosen]), frozenset(self.boots))

    def variables(self) -> tuple[str, ...]:
        """The role's variables whose values it needs."""
        return tuple(dict.fromkeys(path.partition(".")[0] for path in self.choices))


def read_prepared(role: Path) -> tuple[Prepared, str]:
    """What a role's folder says, and what is wrong with its file; without it, nothing is prepared."""
    path = role / FILE
    if not path.is_file():
        return Prepared(), ""
    try:
        return Prepared.model_validate(yaml.safe_load(path.read_text())), ""
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as problem:
        return Prepared(), _told(problem)


def _values(value: Any, path: Sequence[str]) -> Iterator[str]:
    """The texts at `sites.manual`, of each element where a list is on the way."""
    if isinstance(value, list):
        for each in value:
            yield from _values(each, path)
    elif path and isinstance(value, Mapping):
        yield from _values(value.get(path[0]), path[1:])
    elif not path and isinstance(value, str):
        yield value


def _told(problem: Exception) -> str:
    if not isinstance(problem, ValidationError):
        return f"is not valid YAML: {' '.join(str(problem).split())[:200]}"
    first = problem.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}"[:200] if place else str(first["msg"])[:200]
