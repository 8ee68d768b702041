"""The valid parts of a fleet, also when the whole is not valid, so that one run tells every mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from stacks.fleet.backup import BackupPlan, Repository
from stacks.fleet.mistakes import nearest, shown
from stacks.fleet.model import Fleet
from stacks.fleet.network import Network
from stacks.fleet.server import Server
from stacks.fleet.service import Service
from stacks.fleet.units import Name

_DECIDES_OTHERS = frozenset({"backup", "roles"})
"""Keys without which the check of the other keys would tell mistakes that are none."""
_STAND_INS = {"size": "small"}
"""A value in place of a wrong one, where a part without it would be wrong as a whole."""
_KINDS = {"networks": "network", "servers": "server", "backups": "backup plan", "repositories": "repository"}
_NAME: TypeAdapter[str] = TypeAdapter(Name)

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Parts:
    """The parts of a fleet that are valid by themselves, and every name that was declared, valid or not."""

    declared: Mapping[str, frozenset[str]]
    networks: Mapping[str, Network] = field(default_factory=dict)
    servers: Mapping[str, Server] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    repositories: Mapping[str, Repository] = field(default_factory=dict)
    backups: Mapping[str, BackupPlan] = field(default_factory=dict)
    stack: str = ""

    def unknown(self, section: str, name: str) -> str | None:
        """What to say when `name` is not declared in `section`, else None."""
        names = self.declared[section]
        if name in names:
            return None
        return f"no {_KINDS[section]} named '{shown(name)}'; {nearest(name, map(shown, names))}"


def parts_of(values: Mapping[str, Any], fleet: Fleet | None) -> Parts:
    """The parts of a fleet that was read; `fleet` is given when the whole is valid."""
    declared = {section: _names(values.get(section)) for section in _KINDS}
    if fleet is not None:
        return Parts(
            declared,
            fleet.networks,
            fleet.servers,
            fleet.services,
            fleet.repositories,
            fleet.backups,
            fleet.stack,
        )
    return Parts(
        declared,
        dict(_valid(values.get("networks"), Network)),
        dict(_valid(values.get("servers"), Server)),
        dict(_valid(values.get("services"), Service)),
        dict(_valid(values.get("repositories"), Repository)),
        dict(_valid(values.get("backups"), BackupPlan)),
        f"{values.get('client')}-{values.get('environment')}",
    )


def _names(section: Any) -> frozenset[str]:
    return frozenset(section) if isinstance(section, Mapping) else frozenset()


def _valid(section: Any, model: type[Model]) -> Iterator[tuple[str, Model]]:
    """Each part of a section that can be judged; what is wrong with the others is told already."""
    for name, value in section.items() if isinstance(section, Mapping) else ():
        try:
            yield _NAME.validate_python(name), model.model_validate(value)
        except ValidationError as problem:
            at_fault = {detail["loc"][0] for detail in problem.errors(include_url=False) if detail["loc"]}
            if not isinstance(value, Mapping) or at_fault & _DECIDES_OTHERS:
                continue
            with suppress(ValidationError):
                rest = {key: item for key, item in value.items() if key not in at_fault}
                rest |= {key: item for key, item in _STAND_INS.items() if key in at_fault}
                yield _NAME.validate_python(name), model.model_validate(rest)
