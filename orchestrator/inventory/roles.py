"""The roles the playbooks have, and whether a fleet uses them as they ask; judged before any host."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from orchestrator.errors import InputError, ToolError
from orchestrator.inventory.own_checks import OwnCheck, read_checks
from orchestrator.inventory.own_roles import shape_problems
from orchestrator.inventory.prepared import Contents, read_prepared
from orchestrator.inventory.role_values import odd_values
from stacks.fleet.mistakes import nearest, shown
from stacks.fleet.secret import LOGIN, reference, resolved

IMPLIED_ROLES = frozenset({"backup"})
"""Applied by Steward itself where a backup plan says so; a fleet does not list them."""

SET_BY_STEWARD = frozenset(
    {
        "baseline_gateway",
        "baseline_ingress",
        "backup_vault_rest_server_binary",
        "postgresql_allowed_networks",
        "redis_allowed_networks",
        "app_archive",
        "app_archive_sha256",
        "app_release",
    }
)
"""Variables that follow from the fleet and its outputs; a fleet that sets one would contradict itself."""

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DEEPEST = 6
_HIDDEN = "a-secret-that-is-kept-elsewhere"
"""Stands for a secret while the rest is judged."""
_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "text"),
    "path": ((str,), "text"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "list": ((list,), "a list"),
    "dict": ((dict,), "a mapping"),
}


class RoleCatalog:
    """The argument specifications of our roles and of a project's own; implements `ports.roles.RoleBook`."""

    def __init__(self, folder: Path, own: Path | None = None) -> None:
        self._folder = folder
        self._own_folder = own
        self._built_in = frozenset(
            path.parent.parent.name for path in folder.glob("*/meta/argument_specs.yml")
        )
        found = own.iterdir() if own is not None and own.is_dir() else ()
        self._own = frozenset(path.name for path in found if path.is_dir() and not path.name.startswith("."))

    def names(self) -> frozenset[str]:
        """Roles that a fleet may list."""
        return (self._built_in | self._own) - IMPLIED_ROLES

    def own(self, role: str) -> bool:
        """Whether the role is the project's own."""
        return role in self._own and role not in self._built_in

    def folder(self, role: str) -> Path:
        """Where a role lies."""
        if self._own_folder is not None and self.own(role):
            return self._own_folder / role
        return self._folder / role

    def options(self, role: str) -> frozenset[str]:
        """Names of every variable that a role's specification declares."""
        return frozenset(_options(self.folder(role) / "meta" / "argument_specs.yml"))

    def default(self, role: str, variable: str) -> Any:
        """What a role's defaults say of a variable, None where they say nothing."""
        path = self.folder(role) / "defaults" / "main.yml"
        return (_mapping(path) if path.is_file() else {}).get(variable)

    def checks(self, role: str) -> Sequence[OwnCheck]:
        """What an own role says must be true on its servers; Steward's own are looked at by Steward."""
        return read_checks(self.folder(role))[0] if self.own(role) else ()

    def prepared(self, role: str, variables: Mapping[str, Any]) -> Contents:
        """What may be in the image that a server with this use of the role is made from."""
        said = read_prepared(self.folder(role))[0]
        defaults = {name: self.default(role, f"{role}_{name}") for name in said.variables()}
        return said.contents({**defaults, **variables})

    def check(self, role: str, variables: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
        """Problems of one use of a role as (variable, text); variable is '' for the role itself."""
        if role in self._own and role in self._built_in:
            return [
                ("", f"the project's own role '{role}' takes the name of one of Steward's; rename its folder")
            ]
        if role not in self.names():
            return [("", f"no role named '{shown(role)}'; {nearest(role, self.names())}")]
        if self.own(role) and (wrong := shape_problems(self.folder(role))):
            return [("", text) for text in wrong]
        options = _options(self.folder(role) / "meta" / "argument_specs.yml")
        own = {
            name.removeprefix(f"{role}_"): spec
            for name, spec in options.items()
            if name.startswith(f"{role}_") and name not in SET_BY_STEWARD
        }
        problems = list(_in_clear(own, variables))
        variables = resolved(variables, lambda _: _HIDDEN)
        problems += [
            (key, f"role {role} has no variable '{shown(key)}'; {nearest(key, own)}")
            for key in variables
            if key not in own
        ]
        unplain = {key: text for key, value in variables.items() if (text := _odd_keys(value))}
        odd = {key: text for key in own if key in variables and (text := _odd_kind(own[key], variables[key]))}
        names = [
            (key, text)
            for key in own
            if key in variables and key not in odd and key not in unplain
            for text in odd_values(own[key], variables[key])
        ]
        problems += [*unplain.items(), *names]
        told = odd.keys() | dict(names).keys()
        known = {f"{role}_{key}": value for key, value in variables.items() if key in own and key not in told}
        judged = {f"{role}_{key}": spec for key, spec in own.items() if key not in told}
        return [*problems, *odd.items(), *_judge(role, judged, known)]


def _in_clear(options: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Secrets that the fleet file itself would hold, at any depth; told at the variable."""
    for key, value in values.items():
        spec = options.get(key, {})
        inner = spec.get("options") or {}
        hidden = spec.get("no_log") and "str" in (spec.get("type", "str"), spec.get("elements"))
        for part in value if isinstance(value, list) else [value]:
            if hidden and isinstance(part, str):
                yield (
                    key,
                    "is a secret, and a fleet file is no place for one; write {env: NAME} or {file: PATH}",
                )
            if hidden and (kept := reference(part)) is not None and kept.kind == LOGIN:
                yield (
                    key,
                    f"is a secret, and {kept} is a name that anybody may know; write {{generated: NAME}}",
                )
            if inner and isinstance(part, Mapping) and reference(part) is None:
                yield from ((key, f"{deep} {text}") for deep, text in _in_clear(inner, part))


def _judge(role: str, options: Mapping[str, Any], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Let Ansible's own validator judge types, choices and required variables."""
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    found = ArgumentSpecValidator(dict(options)).validate(dict(values))
    problems = []
    for text in found.error_messages:
        variable = next((name for name in options if re.search(rf"\b{re.escape(name)}\b", text)), "")
        short = variable.removeprefix(f"{role}_")
        problems.append((short, shown_message(text.replace(variable, short) if variable else text)))
    return problems


def _odd_kind(spec: Mapping[str, Any], value: Any) -> str:
    """Why a value is of the wrong kind: Ansible would read "a,b" as a list, but others read the fleet too."""
    if spec.get("type", "str") not in _KINDS:
        return ""
    kinds, words = _KINDS[spec.get("type", "str")]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return f"must be {words}, got '{shown(value)}'"
    if isinstance(value, list):
        element = {"type": spec.get("elements", "raw")}
        return next((f"every element {text}" for each in value if (text := _odd_kind(element, each))), "")
    return ""


def shown_message(text: str) -> str:
    """A validator's message on one line, without control characters."""
    return "".join(char if char.isprintable() else " " for char in text)[:300]


def _odd_keys(value: Any, depth: int = 0) -> str:
    """Why a value cannot be a variable: keys that are not plain names, or nesting without end."""
    if depth > _DEEPEST:
        return f"is nested deeper than {_DEEPEST} levels"
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not _KEY.fullmatch(str(key)):
                return f"the key '{shown(str(key))}' is not a plain name"
            if text := _odd_keys(item, depth + 1):
                return text
    if isinstance(value, list):
        return next((text for item in value if (text := _odd_keys(item, depth + 1))), "")
    return ""


@cache
def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as problem:
        raise InputError("roles", f"cannot be read: {problem}", place=str(path)) from problem
    return document if isinstance(document, Mapping) else {}


@cache
def _options(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
        options = document["argument_specs"]["main"].get("options") or {}
    except (OSError, yaml.YAMLError, KeyError, TypeError) as problem:
        raise ToolError(
            "playbooks", f"the role's argument specification cannot be read: {problem}", place=str(path)
        ) from problem
    if not isinstance(options, Mapping):
        raise ToolError("playbooks", "the role's options are not a mapping", place=str(path))
    return options
