"""What a role of the project must look like, so that it is judged, run and verified as Steward's own are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import yaml

from orchestrator.inventory import prepared
from orchestrator.inventory.own_checks import FILE, read_checks
from stacks.fleet.mistakes import nearest, shown

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_GIVEN = "steward_"
"""Variables with this beginning are Steward's to give, to roles that declare them."""
_FOLDERS = frozenset({
    "tasks", "defaults", "vars", "meta", "handlers", "files", "templates", "library", "module_utils", "tests",
})  # fmt: skip
_FILES = frozenset({"README.md", "LICENSE", ".yamllint", ".ansible-lint"})
_MOST_SAID = 5
_BUILT_IN = re.compile(r"\s*(?:- )?ansible\.builtin\.([a-z0-9_]+):(?:\s|$)")


def shape_problems(folder: Path) -> list[str]:
    """What keeps a folder from being a role that can be checked; nothing for one that can."""
    return [f"role {folder.name}: {text}" for text in _problems(folder)][:_MOST_SAID]


def _problems(folder: Path) -> Iterator[str]:
    if not _NAME.fullmatch(folder.name):
        yield "its name has lower-case letters, digits and underscores, and begins with a letter"
    for path in sorted(folder.iterdir()):
        known = _FOLDERS if path.is_dir() else _FILES
        if path.name not in known and not path.name.startswith("."):
            yield f"'{shown(path.name)}' is no part of a role; {nearest(path.name, known)}"
    if not (folder / "tasks" / "main.yml").is_file():
        yield "it has no tasks/main.yml"
    yield from _tasks(folder)
    specification = folder / "meta" / "argument_specs.yml"
    if not specification.is_file():
        yield "it has no meta/argument_specs.yml, so nobody can check its variables; declare them there"
        return
    document, wrong = _read(specification)
    if wrong:
        yield f"meta/argument_specs.yml {wrong}"
        return
    broken = list(_specification(folder.name, document))
    yield from broken
    if broken:
        return  # nothing can be held against a specification that is none
    yield from _defaults(folder, _options(document))
    yield from _checks(folder, _options(document))
    yield from _prepared(folder, _options(document))


def _tasks(folder: Path) -> Iterator[str]:
    """What keeps Ansible from reading tasks and handlers: told before a run, not in its middle."""
    for part in ("tasks", "handlers", "vars"):
        for path in sorted((folder / part).rglob("*.yml")):
            place, text = path.relative_to(folder), path.read_text(errors="replace")
            try:
                # A !vault is no mistake: nothing is constructed.
                list(yaml.parse(text, Loader=yaml.CSafeLoader))
            except yaml.YAMLError as problem:
                yield f"{place} is not valid YAML: {' '.join(str(problem).split())[:200]}"
                continue
            if part != "vars":
                yield from _unknown_modules(place, text)


def _unknown_modules(place: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        module = _BUILT_IN.match(line)
        if module is not None and module[1] not in _modules():
            said = f"{place}:{number}: Ansible has no module 'ansible.builtin.{module[1]}'"
            yield f"{said}; {nearest(module[1], _modules())}"


@cache
def _modules() -> frozenset[str]:
    """The names of the modules of ansible.builtin, without importing Ansible."""
    found = find_spec("ansible")
    places = [str(Path(place) / "modules") for place in (found and found.submodule_search_locations) or ()]
    return frozenset(each.name for each in iter_modules(places))


def _specification(role: str, document: Any) -> Iterator[str]:
    main = document.get("argument_specs", {}).get("main") if _maps(document, "argument_specs") else None
    if not isinstance(main, Mapping):
        yield "meta/argument_specs.yml: say argument_specs: {main: {short_description: ..., options: {...}}}"
        return
    if not isinstance(main.get("options") or {}, Mapping):
        yield "meta/argument_specs.yml: options is a mapping of variables"
        return
    if not main.get("short_description"):
        yield "meta/argument_specs.yml: short_description says in one line what the role is for"
    for name, option in _options(document).items():
        if not str(name).startswith((f"{role}_", _GIVEN)):
            yield f"meta/argument_specs.yml: the variable '{shown(name)}' must begin with '{role}_'"
        elif not isinstance(option, Mapping) or not option.get("description") or not option.get("type"):
            yield f"meta/argument_specs.yml: the variable '{shown(name)}' must have a description and a type"


def _defaults(folder: Path, options: Mapping[str, Any]) -> Iterator[str]:
    path = folder / "defaults" / "main.yml"
    if not path.is_file():
        return
    document, wrong = _read(path)
    if wrong or not isinstance(document or {}, Mapping):
        yield f"defaults/main.yml {wrong or 'is a mapping of variables'}"
        return
    for name in document or {}:
        if name not in options:
            text = f"defaults/main.yml: the variable '{shown(str(name))}' is not in meta/argument_specs.yml"
            yield f"{text}; {nearest(str(name), map(str, options))}"


def _checks(folder: Path, options: Mapping[str, Any]) -> Iterator[str]:
    checks, wrong = read_checks(folder)
    if wrong:
        yield f"{FILE}: {wrong}"
    for check in checks:
        for variable in check.variables():
            if f"{folder.name}_{variable}" not in options:
                short = [str(name).removeprefix(f"{folder.name}_") for name in options]
                yield f"{FILE}: no variable '{variable}' in this role; {nearest(variable, short)}"


def _prepared(folder: Path, options: Mapping[str, Any]) -> Iterator[str]:
    said, wrong = prepared.read_prepared(folder)
    if wrong:
        yield f"{prepared.FILE}: {wrong}"
    for variable in said.variables():
        if f"{folder.name}_{variable}" not in options:
            short = [str(name).removeprefix(f"{folder.name}_") for name in options]
            yield f"{prepared.FILE}: no variable '{variable}' in this role; {nearest(variable, short)}"


def _options(document: Any) -> Mapping[str, Any]:
    main = document["argument_specs"]["main"]
    found = main.get("options") if isinstance(main, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _maps(document: Any, key: str) -> bool:
    return isinstance(document, Mapping) and isinstance(document.get(key), Mapping)


def _read(path: Path) -> tuple[Any, str]:
    """The document, and why it cannot be read."""
    try:
        return yaml.safe_load(path.read_text()), ""
    except (OSError, ValueError, yaml.YAMLError) as problem:
        return None, f"is not valid YAML: {' '.join(str(problem).split())[:200]}"
