"""A user's own rules, beside ours: `ROOM.yaml` is their catalog, `ROOM.py` has a function for each.

They are loaded by path, so that their names meet no others, and may only add: an id of ours is refused.
"""

from __future__ import annotations

import importlib.util
import os
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from policies import yamlfile
from policies.catalog import KEYS, MAY_SAY, ROOMS, entry_rule, refuse_twice, room_entries
from policies.controls import unknown_controls
from policies.facts import shown
from policies.model import Enforcement, PackError, Rule, Scope
from policies.rules import function_name

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


def load_own(folder: Path | None, *, run: bool = True) -> OwnRules:
    """Every rule of the folder, in order; none without a folder. Raises PackError that names the file.

    Without `run` they are read as data: no code is loaded, and the rules have no functions.
    """
    if folder is None or not folder.is_dir():
        return OwnRules()
    rules: list[Rule] = []
    enforcement: dict[str, Enforcement] = {}
    catalogs = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    modules = {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}
    for room in sorted(catalogs.keys() ^ modules.keys()):
        there, missing = (
            (f"{room}.yaml", f"{room}.py") if room in catalogs else (f"{room}.py", f"{room}.yaml")
        )
        raise PackError(
            f"rules/{there}: has no {missing} beside it; a room of rules is a catalog and a module"
        )
    for room, path in catalogs.items():
        module = _module(room, modules[room]) if run else None
        for place, value in room_entries(path, f"rules/{path.name}"):
            entry = yamlfile.mapping(value, place, required=KEYS, optional=(*MAY_SAY, "enforcement"))
            rule = _own_rule(entry, room, place)
            rule = _joined(rule, module, place) if module else rule
            rules.append(rule)
            if "enforcement" in entry:
                enforcement[rule.id] = _level(entry["enforcement"], place)
    refuse_twice(rules, "rules")
    if wrong := unknown_controls(tuple(rules)):
        raise PackError(f"rules: {'; '.join(wrong)}")
    return OwnRules(tuple(rules), enforcement)


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
        file = Path(str(module.__file__)).name
        raise PackError(f"{place}: {rule.id} has no function {function_name(rule.id)} in rules/{file}")
    return replace(rule, stack_check=check) if rule.scope is Scope.STACK else replace(rule, check=check)


class _FromSource(SourceFileLoader):
    """Compiles what stands in the file: a compiled one beside it may be of a text that nobody signed."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _module(room: str, path: Path) -> ModuleType:
    name = f"steward_own_rules_{room.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_FromSource(name, str(path)))
    if spec is None or spec.loader is None:
        raise PackError(f"rules/{path.name}: is no Python file that can be loaded")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    # Somebody's own code: whatever it raises while it loads must become a refusal that names the file.
    except Exception as error:
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
        ]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        at = f" line {line}" if line else ""
        raise PackError(
            f"rules/{path.name}:{at} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    return module


def _level(value: object, place: str) -> Enforcement:
    if not isinstance(value, str) or value not in _LEVELS:
        raise PackError(f"{place}.enforcement: expected {', '.join(_LEVELS)}; got {shown(value)!r}")
    return _LEVELS[value]
