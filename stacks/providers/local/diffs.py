"""What changed between two sets of inputs, what each change costs, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from stacks.providers.local.wire import Properties, has_unknown

LONGEST_VALUE = 40
REPLACED, RESTARTED = "replaced", "restarted"
"""The first word of a sentence about a change that costs something; `steward plan` looks for it."""


class Change(Enum):
    """How one property differs."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


class Cost(Enum):
    """What a change takes besides itself."""

    NOTHING = "nothing"
    RESTART = "restart"
    REPLACEMENT = "replacement"


@dataclass(frozen=True)
class PropertyChange:
    """One differing property, what it costs, and the reason a person is told."""

    change: Change
    cost: Cost = Cost.NOTHING
    why: str = ""
    output: bool = False
    """It is nothing that was asked for, but what the provider makes of it."""

    @property
    def replace(self) -> bool:
        """Whether the resource has to be made anew."""
        return self.cost is Cost.REPLACEMENT


Canonical = Callable[[Any, Properties], object]
"""Turns an input value, seen beside the old outputs, into what must stay equal to cost nothing."""


@dataclass(frozen=True)
class DiffRules:
    """Which properties cost a replacement or a restart and why, and how structured ones are compared."""

    replace: Mapping[str, str] = field(default_factory=dict)
    restart: Mapping[str, str] = field(default_factory=dict)
    canonical: Mapping[str, Canonical] = field(default_factory=dict)
    outdated: Callable[[Properties, Properties], tuple[str, ...]] = lambda _olds, _news: ()
    """Which old outputs this version of the provider would make otherwise from the new inputs."""


def compare(
    old_inputs: Properties, old_outputs: Properties, news: Properties, rules: DiffRules
) -> dict[str, PropertyChange]:
    """Every differing property; a value not known yet counts as changed: no preview promises too little."""
    changes: dict[str, PropertyChange] = {}
    for key in sorted({*old_inputs, *news}):
        old, new = old_inputs.get(key), news.get(key)
        if old == new or (not old and not new and type(old) in (type(None), list, dict)):
            continue
        changes[key] = _priced(key, old, new, old_outputs, rules)
    if not changes and old_outputs:
        changes = {
            key: PropertyChange(Change.UPDATE, output=True) for key in rules.outdated(old_outputs, news)
        }
    return changes


def _priced(key: str, old: object, new: object, outputs: Properties, rules: DiffRules) -> PropertyChange:
    change = _change(old, new)
    canonical = rules.canonical.get(key)
    settled = canonical is not None and canonical(old, outputs) == canonical(new, outputs)
    if not settled and key in rules.replace:
        return PropertyChange(change, Cost.REPLACEMENT, rules.replace[key])
    if not settled and key in rules.restart:
        return PropertyChange(change, Cost.RESTART, rules.restart[key])
    return PropertyChange(change)


def _change(old: object, new: object) -> Change:
    if old is None:
        return Change.ADD
    return Change.DELETE if new is None else Change.UPDATE


def sentences(
    changes: Mapping[str, PropertyChange], olds: Properties, news: Properties, *, delete_first: bool
) -> list[str]:
    """What a person is told at preview: which property, from what to what, and why it costs what it costs."""
    order = "the old one goes first" if delete_first else "the new one comes first"
    told = []
    for cost, word in ((Cost.REPLACEMENT, REPLACED), (Cost.RESTART, RESTARTED)):
        found = {key: one.why for key, one in changes.items() if one.cost is cost}
        if found:
            parts = [f"{key} {_turned(olds.get(key), news.get(key))}({why})" for key, why in found.items()]
            end = f"; {order}." if cost is Cost.REPLACEMENT else "; identity, host key and disk stay."
            told.append(f"{word}: {', '.join(parts)}{end}")
            break  # a server that is replaced is not restarted as well
    return told


def _turned(old: object, new: object) -> str:
    """`1 → 2 ` for values that fit in a sentence, `known only when it is made ` for those of the future."""
    if has_unknown(new):
        return "known only when it is made "
    if isinstance(old, str | int | float) and isinstance(new, str | int | float):
        return f"{_short(old)} → {_short(new)} "
    return ""


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


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
    """What is mounted where; whether a volume bears data is only a label."""
    if not isinstance(value, list):
        return value or {}
    return {
        item.get("name"): (item.get("volumeId"), item.get("mount"))
        for item in value
        if isinstance(item, dict)
    }
