"""The rules: catalog metadata and check functions, joined by id and checked against each other both ways.

`network.ssh-not-public` is judged by the function `ssh_not_public` of the module `network`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import ModuleType

from policies.catalog import ROOMS, load_catalog
from policies.model import PackError, Rule, Scope


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule in catalog order; raises PackError when catalog and functions do not match."""
    return join(load_catalog(), {room: importlib.import_module(f"policies.rules.{room}") for room in ROOMS})


def function_name(rule_id: str) -> str:
    """`naming.server-says-its-role` is judged by `server_says_its_role`."""
    return rule_id.partition(".")[2].replace("-", "_")


def join(catalog: Sequence[Rule], modules: Mapping[str, ModuleType]) -> tuple[Rule, ...]:
    """Give each entry its function; raises PackError naming each entry and each function left alone."""
    mistakes: list[str] = []
    joined: list[Rule] = []
    named: set[tuple[str, str]] = set()
    for rule in catalog:
        room, function = rule.id.partition(".")[0], function_name(rule.id)
        check = getattr(modules[room], function, None)
        named.add((room, function))
        if not callable(check):
            mistakes.append(f"{rule.id}: in the catalog, but {room}.py has no function {function}")
        elif rule.scope is Scope.STACK:
            joined.append(replace(rule, stack_check=check))
        else:
            joined.append(replace(rule, check=check))
    for room, module in modules.items():
        own = [name for name, value in vars(module).items() if _is_check(name, value, module)]
        mistakes += [
            f"{room}.{name}: a function, but not in the catalog" for name in own if (room, name) not in named
        ]
    if mistakes:
        raise PackError("; ".join(sorted(mistakes)))
    return tuple(joined)


def _is_check(name: str, value: object, module: ModuleType) -> bool:
    return not name.startswith("_") and getattr(value, "__module__", "") == module.__name__ and _plain(value)


def _plain(value: object) -> bool:
    return callable(value) and not isinstance(value, type)
