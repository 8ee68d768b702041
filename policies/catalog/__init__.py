"""The catalog: what is to be known about each rule, one YAML file a room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from policies import yamlfile
from policies.catalog.schema import check_schema
from policies.facts import shown
from policies.model import Kind, OnUnknown, PackError, Rule, Scope, Severity, Steps
from policies.subjects.resources import RESOURCE_TYPES
from policies.subjects.types import OPERATIONS, SIDES, TYPES

_HERE: Final = Path(__file__).parent
ROOMS: Final = (
    *("network", "servers", "storage", "providers", "change", "playbooks"),
    *("ssh", "hardening", "access", "patches", "backups", "recovery", "quality"),
    *("population", "cost", "capacity", "governance"),
)
"""Each is a catalog here and a module of the same name in `policies.rules`, in the order of reports."""
KEYS: Final = (
    *("id", "title", "rationale", "severity", "kind", "scope", "subjects", "controls"),
    *("params", "on_unknown", "remediation", "owner", "reviewed_on", "version"),
)
MAY_SAY: Final = ("waivable", "steps")
_Choice = TypeVar("_Choice", Kind, Severity, Scope, OnUnknown)


@cache
def load_catalog(folder: Path = _HERE) -> tuple[Rule, ...]:
    """All entries without their functions, in the order of the rooms; raises PackError."""
    rules: list[Rule] = []
    for room in ROOMS:
        for path in room_files(folder, room):
            rules += [
                entry_rule(yamlfile.mapping(value, at, required=KEYS, optional=MAY_SAY), room, at)
                for at, value in room_entries(path, f"catalog/{path.name}")
            ]
    refuse_twice(rules, "catalog")
    return tuple(rules)


def room_files(folder: Path, room: str) -> tuple[Path, ...]:
    """`ROOM.yaml`, and `ROOM.PART.yaml` where a room outgrew one file."""
    return (folder / f"{room}.yaml", *sorted(folder.glob(f"{room}.*.yaml")))


def room_entries(path: Path, place: str) -> list[tuple[str, object]]:
    """The entries of one room's file, each with its place; raises PackError."""
    entries = yamlfile.read(path)
    if not isinstance(entries, list):
        raise PackError(f"{place}: expected a list of rules")
    return [(f"{place}[{number}]", value) for number, value in enumerate(entries)]


def refuse_twice(rules: Sequence[Rule], place: str) -> None:
    """Raises PackError where an id names two rules."""
    ids = [rule.id for rule in rules]
    twice = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
    if twice:
        raise PackError(f"{place}: more than one entry for {', '.join(twice)}")


def entry_rule(entry: Mapping[str, object], room: str, place: str) -> Rule:
    """The rule of an entry that has all KEYS, without its function; raises PackError."""
    rule_id = _text(entry, "id", place)
    if not rule_id.startswith(f"{room}."):
        raise PackError(f"{place}: id {shown(rule_id)!r} is not of the room {room!r}")
    reviewed_on, version = entry["reviewed_on"], entry["version"]
    if type(reviewed_on) is not date or type(version) is not int:  # a moment is a date, and true a number
        raise PackError(f"{place}: reviewed_on is a date and version a whole number")
    kind = _one_of(Kind, entry, "kind", place)
    return Rule(
        id=rule_id,
        title=_text(entry, "title", place),
        rationale=_text(entry, "rationale", place),
        severity=_one_of(Severity, entry, "severity", place),
        kind=kind,
        scope=_one_of(Scope, entry, "scope", place),
        subjects=_some_of(TYPES[kind], entry["subjects"], f"{place}.subjects"),
        controls=_controls(entry["controls"], place),
        params=_params(entry["params"], place),
        on_unknown=_one_of(OnUnknown, entry, "on_unknown", place),
        remediation=_text(entry, "remediation", place),
        owner=_text(entry, "owner", place),
        reviewed_on=reviewed_on,
        version=version,
        waivable=_flag(entry.get("waivable", True), f"{place}.waivable"),
        steps=_steps(entry["steps"], kind, f"{place}.steps") if "steps" in entry else Steps(),
    )


def _text(entry: Mapping[str, object], key: str, place: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or not value.strip():
        raise PackError(f"{place}.{key}: expected a text, got {shown(value)}")
    return " ".join(value.split())


def _flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise PackError(f"{place}: expected true or false, got {shown(value)}")
    return value


def _one_of(choices: type[_Choice], entry: Mapping[str, object], key: str, place: str) -> _Choice:
    try:
        return choices(_text(entry, key, place))
    except ValueError as error:
        raise PackError(
            f"{place}.{key}: {shown(str(error))}; known: {', '.join(choice.value for choice in choices)}"
        ) from None


def _some_of(names: Sequence[str], value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or any(each not in names for each in value):
        raise PackError(f"{place}: expected some of {', '.join(names)}; got {shown(value)}")
    return tuple(value)


def _steps(value: object, kind: Kind, place: str) -> Steps:
    if kind is not Kind.STEP:
        raise PackError(f"{place}: is of rules about steps; this one judges {kind.value.replace('_', ' ')}")
    known = {"types": RESOURCE_TYPES, "operations": OPERATIONS, "sides": SIDES}
    named = yamlfile.mapping(value, place, optional=tuple(known))
    if not named:
        raise PackError(f"{place}: expected some of {', '.join(known)}")
    return Steps(**{key: _some_of(known[key], each, f"{place}.{key}") for key, each in named.items()})


def _controls(value: object, place: str) -> Mapping[str, tuple[str, ...]]:
    frameworks = yamlfile.mapping(value, f"{place}.controls")
    for framework, ids in frameworks.items():
        if not isinstance(ids, list) or not all(isinstance(control, str) for control in ids):
            raise PackError(f"{place}.controls.{framework}: expected a list of control ids as texts")
    return {framework: tuple(ids) for framework, ids in frameworks.items() if isinstance(ids, list)}


def _params(value: object, place: str) -> Mapping[str, Mapping[str, object]]:
    schemas = yamlfile.mapping(value, f"{place}.params")
    return {name: check_schema(schema, f"{place}.params.{name}") for name, schema in schemas.items()}
