"""The roles the playbooks have, and whether a fleet uses them as they ask; judged before any host."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from orchestrator.errors import ToolError
from stacks.fleet.mistakes import nearest, shown

IMPLIED_ROLES = frozenset({"backup"})
"""Applied by Steward itself where a backup plan says so; a fleet does not list them."""

SET_BY_STEWARD = frozenset(
    {
        "baseline_gateway",
        "baseline_ingress",
        "backup_vault_rest_server_binary",
        "postgresql_allowed_networks",
    }
)
"""Variables that follow from the fleet and its outputs; a fleet that sets one would contradict itself."""

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DEEPEST = 6
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
    """The argument specifications of every role in a folder of roles."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = frozenset(path.parent.parent.name for path in folder.glob("*/meta/argument_specs.yml"))

    def names(self) -> frozenset[str]:
        """Roles that a fleet may list."""
        return self._names - IMPLIED_ROLES

    def check(self, role: str, variables: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
        """Problems of one use of a role as (variable, text); variable is '' for the role itself."""
        if role not in self.names():
            return [("", f"no role named '{shown(role)}'; {nearest(role, self.names())}")]
        options = _options(self._folder / role / "meta" / "argument_specs.yml")
        own = {
            name.removeprefix(f"{role}_"): spec
            for name, spec in options.items()
            if name.startswith(f"{role}_") and name not in SET_BY_STEWARD
        }
        problems = [
            (key, f"role {role} has no variable '{shown(key)}'; {nearest(key, own)}")
            for key in variables
            if key not in own
        ]
        problems += [(key, text) for key, value in variables.items() if (text := _odd_keys(value))]
        odd = {key: text for key in own if key in variables and (text := _odd_kind(own[key], variables[key]))}
        known = {f"{role}_{key}": value for key, value in variables.items() if key in own and key not in odd}
        judged = {f"{role}_{key}": spec for key, spec in own.items() if key not in odd}
        return [*problems, *odd.items(), *_judge(role, judged, known)]


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
