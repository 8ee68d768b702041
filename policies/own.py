"""A user's own rules, beside ours: `ROOM.yaml` is their catalog, `ROOM.py` has a function for each.

They are loaded by path, so that their names meet no others, and may only add: an id of ours is refused.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from policies import yamlfile
from policies.apart.module import load_module
from policies.catalog import KEYS, MAY_SAY, ROOMS, entry_rule, refuse_twice, room_entries
from policies.controls import unknown_controls
from policies.facts import shown
from policies.model import Enforcement, PackError, Rule, Scope
from policies.rules import function_name

if TYPE_CHECKING:
    from policies.apart.room import Room

FOLDER_VARIABLE: Final = "STEWARD_OWN_RULES"
_ROOM: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_RULE: Final = re.compile(r"[a-z][a-z0-9-]{0,30}\.[a-z][a-z0-9-]{0,60}")
_LEVELS: Final = {level.value: level for level in (Enforcement.MANDATORY, Enforcement.ADVISORY)}


@dataclass(frozen=True)
class OwnRules:
    """The rules of a folder, and what a failure does where their catalog says so for every profile."""

    rules: tuple[Rule, ...] = ()
    enforcement: Mapping[str, Enforcement] = field(default_factory=dict)


def own_folder() -> Path | None:
    """The folder that the environment names, if any."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else None


class Running(Enum):
    """What is done with the modules of a folder."""

    APART = "apart"
    """They run in processes of their own: they are of the repository that is judged."""
    HERE = "here"
    """They run in this process: they are the judge's."""
    NOT = "not"
    """They are data: no code is loaded, and the rules have no functions."""


def load_own(folder: Path | None, running: Running = Running.APART) -> OwnRules:
    """Every rule of the folder, in order; none without a folder. Raises PackError that names the file."""
    if folder is None or not folder.is_dir():
        return OwnRules()
    rules: list[Rule] = []
    enforcement: dict[str, Enforcement] = {}
    catalogs, modules = _rooms(folder)
    begun = {room: _begun(room, path) for room, path in modules.items()} if running is Running.APART else {}
    for room, path in catalogs.items():
        entries = _entries(room, path)
        if running is Running.HERE:
            module = load_module(room, modules[room])
            entries = [(place, entry, _joined(rule, module, place)) for place, entry, rule in entries]
        elif running is Running.APART:
            entries = [(place, entry, _apart(rule, begun[room], place)) for place, entry, rule in entries]
        rules += [rule for _, _, rule in entries]
        enforcement |= {
            rule.id: _level(entry["enforcement"], place)
            for place, entry, rule in entries
            if "enforcement" in entry
        }
    refuse_twice(rules, "rules")
    if wrong := unknown_controls(tuple(rules)):
        raise PackError(f"rules: {'; '.join(wrong)}")
    return OwnRules(tuple(rules), enforcement)


def _rooms(folder: Path) -> tuple[Mapping[str, Path], Mapping[str, Path]]:
    """Catalogs and modules by their room; raises PackError where one is alone."""
    catalogs = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    modules = {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}
    for room in sorted(catalogs.keys() ^ modules.keys()):
        there, missing = (
            (f"{room}.yaml", f"{room}.py") if room in catalogs else (f"{room}.py", f"{room}.yaml")
        )
        raise PackError(
            f"rules/{there}: has no {missing} beside it; a room of rules is a catalog and a module"
        )
    return catalogs, modules


def _entries(room: str, path: Path) -> list[tuple[str, Mapping[str, object], Rule]]:
    """Place, entry and rule without its function of each entry of a catalog."""
    entries = []
    for place, value in room_entries(path, f"rules/{path.name}"):
        entry = yamlfile.mapping(value, place, required=KEYS, optional=(*MAY_SAY, "enforcement"))
        entries.append((place, entry, _own_rule(entry, room, place)))
    return entries


def _own_rule(entry: Mapping[str, object], room: str, place: str) -> Rule:
    if room in ROOMS or not _ROOM.fullmatch(room):
        raise PackError(
            f"{place}: a room is named by small letters, digits and dashes, and not {', '.join(ROOMS)}; "
            "rename both files"
        )
    rule = entry_rule(entry, room, place)
    if not _RULE.fullmatch(rule.id):
        raise PackError(f"{place}.id: {shown(rule.id)!r} is not of the form {room}.what-holds")
    return rule


def _joined(rule: Rule, module: ModuleType, place: str) -> Rule:
    check = getattr(module, function_name(rule.id), None)
    if not callable(check):
        raise _no_function(rule, str(module.__file__), place)
    return replace(rule, stack_check=check) if rule.scope is Scope.STACK else replace(rule, check=check)


def _apart(rule: Rule, room: Room, place: str) -> Rule:
    from policies.apart.room import OwnCheck

    function = function_name(rule.id)
    if function not in room.functions():
        raise _no_function(rule, room.file.name, place)
    return replace(rule, apart=OwnCheck(room, rule.id, function))


def _no_function(rule: Rule, file: str, place: str) -> PackError:
    return PackError(
        f"{place}: {rule.id} has no function {function_name(rule.id)} in rules/{Path(file).name}"
    )


_BEGUN: Final[OrderedDict[tuple[Path, str], Room]] = OrderedDict()
"""The last rooms that were loaded, by file and content: a verb reads the rules more than once."""
_MOST_BEGUN: Final = 16


def _begun(name: str, path: Path) -> Room:
    """The room, whose process loads its module by now; raises PackError where it cannot be read."""
    from policies.apart.room import Room  # starts programs, which is for those who have own rules

    try:
        key = (path.absolute(), hashlib.sha256(path.read_bytes()).hexdigest())
    except OSError as error:
        raise PackError(f"rules/{path.name}: cannot be read: {error}") from error
    room = _BEGUN.pop(key, None) or Room(name, key[0])
    _BEGUN[key] = room
    while len(_BEGUN) > _MOST_BEGUN:
        _BEGUN.popitem(last=False)
    room.begin()
    return room


def _level(value: object, place: str) -> Enforcement:
    if not isinstance(value, str) or value not in _LEVELS:
        raise PackError(f"{place}.enforcement: expected {', '.join(_LEVELS)}; got {shown(value)!r}")
    return _LEVELS[value]
