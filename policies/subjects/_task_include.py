"""What a task includes or imports, in whichever of Ansible's forms it says so."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.facts import Unknown
from policies.subjects._lined_yaml import Lined
from policies.subjects._task_context import Context, is_template
from policies.subjects._task_reading import action_of
from policies.subjects._task_words import INCLUDES, ROLES, module_name

VARIABLES: Final = "ansible.builtin.include_vars"
SCRIPT: Final = "ansible.builtin.script"
_FIRST: Final = "_raw_params"


@dataclass(frozen=True)
class Include:
    """An order to bring in tasks or a role, with the name that it gives and its other arguments."""

    module: str
    source: object
    arguments: Mapping[str, object]

    @property
    def role(self) -> bool:
        """Whether it brings in a role."""
        return self.module in ROLES

    @property
    def start(self) -> object:
        """Of a role, the file of tasks that it begins with."""
        return self.arguments.get("tasks_from", "main")


def include_of(task: Lined, context: Context, place: str) -> Include | None:
    """The include that a task is, if it is one; raises PackError at a task that Ansible would refuse."""
    written, raw, _ = action_of(task, place)
    module = module_name(written, context.collections)
    if isinstance(module, Unknown) or module not in INCLUDES:
        return None
    arguments = named_arguments(raw, task)
    keys = ("name", "role") if module in ROLES else ("file", _FIRST, "name")
    return Include(module, next((arguments[key] for key in keys if key in arguments), None), arguments)


def named_arguments(raw: object, task: Mapping[str, object]) -> dict[str, object]:
    """The arguments by name, of a text as well; what in it has no name is `_raw_params`."""
    beside = task.get("args")
    arguments = dict(beside) if isinstance(beside, dict) else {}
    if isinstance(raw, dict):
        return {**arguments, **raw}
    if isinstance(raw, str):
        return {**arguments, **_in_text(raw)}
    return arguments if raw is None else {**arguments, _FIRST: raw}


def role_entries(value: object) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Roles of a play and dependencies of a role by their place: names, or mappings with a name."""
    if value is None:
        return
    for place, entry in enumerate(value if isinstance(value, list) else [value]):
        yield place, entry if isinstance(entry, dict) and isinstance(value, list) else {"role": entry}


def role_named(entry: Mapping[str, object]) -> object:
    """The name of a role in one of these entries; the place it is fetched from where that is all."""
    return next((entry[key] for key in ("role", "name", "src") if key in entry), None)


def _in_text(text: str) -> dict[str, object]:
    if is_template(text) and "=" not in text.partition("{")[0]:
        return {_FIRST: text}
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    pairs = {key: value for key, sign, value in (word.partition("=") for word in words) if sign and key}
    first = " ".join(word for word in words if "=" not in word)
    return {**pairs, _FIRST: first} if first else dict(pairs)
