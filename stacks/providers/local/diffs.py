"""What changed between two sets of inputs, and whether it can be changed in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from stacks.providers.local.wire import Properties


class Change(Enum):
    """How one property differs."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class PropertyChange:
    """One differing property and whether it costs a replacement."""

    change: Change
    replace: bool


Canonical = Callable[[Any, Properties], object]
"""Turns an input value, seen beside the old outputs, into what has to stay equal for no replacement."""


@dataclass(frozen=True)
class DiffRules:
    """Which properties cost a replacement, and how the structured ones are compared."""

    replace: frozenset[str] = frozenset()
    canonical: Mapping[str, Canonical] = field(default_factory=dict)


def compare(
    old_inputs: Properties, old_outputs: Properties, news: Properties, rules: DiffRules
) -> dict[str, PropertyChange]:
    """Every differing property; a value not known yet counts as changed: no preview promises too little."""
    changes: dict[str, PropertyChange] = {}
    for key in sorted({*old_inputs, *news}):
        old, new = old_inputs.get(key), news.get(key)
        if old == new or (not old and not new and type(old) in (type(None), list, dict)):
            continue
        changes[key] = PropertyChange(_change(old, new), _replaces(key, old, new, old_outputs, rules))
    return changes


def _change(old: object, new: object) -> Change:
    if old is None:
        return Change.ADD
    return Change.DELETE if new is None else Change.UPDATE


def _replaces(key: str, old: object, new: object, outputs: Properties, rules: DiffRules) -> bool:
    if key not in rules.replace:
        return False
    canonical = rules.canonical.get(key)
    return canonical is None or canonical(old, outputs) != canonical(new, outputs)


def settled_address(value: object, outputs: Properties) -> object:
    """An address that is not asked for stays what it is."""
    return value or outputs.get("address")


def settled_ports(value: Any, outputs: Properties) -> object:
    """A host port that is not asked for stays what it is."""
    published = outputs.get("published") or {}
    if not isinstance(value, list):
        return value or {}
    return {
        str(item.get("port")): item.get("hostPort") or published.get(str(item.get("port")))
        for item in value
        if isinstance(item, dict)
    }


def mounted_volumes(value: Any, _outputs: Properties) -> object:
    """Podman fixes mounts when a container is made; whether a volume bears data is only a label."""
    if not isinstance(value, list):
        return value or {}
    return {
        item.get("name"): (item.get("volumeId"), item.get("mount"))
        for item in value
        if isinstance(item, dict)
    }
