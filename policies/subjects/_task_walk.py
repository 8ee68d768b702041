"""Which files a play reaches, and what each inherits there: read from the files alone, nothing is run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from policies.facts import Unknown, shown
from policies.model import PackError
from policies.subjects._lined_yaml import Lined
from policies.subjects._task_context import Context, is_template, merged
from policies.subjects._task_files import Content, content_of
from policies.subjects._task_words import INCLUDES, ROLES, module_name

SECTIONS: Final = ("pre_tasks", "tasks", "post_tasks", "handlers")
BLOCK_PARTS: Final = ("block", "rescue", "always")
_MOST_CONTEXTS: Final = 32
"""Of one file; past that it counts as used in all ways, and what differs is unknown anyway."""
_INHERITED_BY_INCLUDES: Final = "apply"


class Reach:
    """The contexts of each file of tasks, found from the plays on."""

    def __init__(self, files: Mapping[str, object]) -> None:
        self._files = files
        self._contexts: dict[str, list[Context]] = {}
        self._queue: deque[tuple[str, Context]] = deque()
        self._roles = _role_folders(files)
        for name, value in files.items():
            if content_of(name, value) is Content.PLAYS:
                for play in lined_list(value, name):
                    self._play(name, play)
        while self._queue:
            file, context = self._queue.popleft()
            self._tasks(file, lined_list(self._files[file], file), context)

    def context(self, file: str) -> Context:
        """What every task of the file inherits."""
        return merged(self._contexts.get(file, []))

    @staticmethod
    def play(play: Lined) -> Context:
        """What the tasks of a play inherit from it."""
        return replace(Context().below(play), play=str(play.get("name") or play["hosts"]))

    def target(self, file: str, task: Lined, module: str, source: object) -> str | Unknown | None:
        """The file of tasks that an include names; None where no such file is there."""
        if not isinstance(source, str):
            return Unknown("no file is named") if source is None else None
        if is_template(source):
            return Unknown(f"a template: {shown(source)}")
        if module in ROLES:
            arguments = _arguments(task)
            start = arguments.get("tasks_from", "main")
            if is_template(start):
                return Unknown(f"a template: {shown(start)}")
            return self._in_role(source, "tasks", str(start))
        return self._beside(file, source)

    def _play(self, file: str, play: Lined) -> None:
        if "hosts" not in play:
            return
        context = self.play(play)
        for entry in _entries(play.get("roles")):
            role = entry.get("role", entry.get("name"))
            if isinstance(role, str) and not is_template(role):
                self._enter_role(role, context.below(entry), "main")
        for section in SECTIONS:
            self._tasks(file, lined_list(play.get(section), file), context)

    def _tasks(self, file: str, entries: list[Lined], context: Context) -> None:
        for task in entries:
            parts = [part for part in BLOCK_PARTS if part in task]
            for part in parts:
                self._tasks(file, lined_list(task[part], file), context.below(task))
            found = None if parts else include_of(task, context)
            if found:
                self._include(file, task, *found, context)

    def _include(self, file: str, task: Lined, module: str, source: object, context: Context) -> None:
        applied = _arguments(task).get(_INHERITED_BY_INCLUDES)
        inner = context.below(task) if ".import_" in module else context
        inner = inner.below(applied) if isinstance(applied, dict) else inner
        target = self.target(file, task, module, source)
        if not isinstance(target, str):
            return
        if module in ROLES:
            self._enter_role(str(source), inner, str(_arguments(task).get("tasks_from", "main")))
        else:
            self._visit(target, inner)

    def _enter_role(self, role: str, context: Context, start: str) -> None:
        inner = replace(context, role=role)
        for target in (self._in_role(role, "tasks", start), self._in_role(role, "handlers", "main")):
            if target is not None:
                self._visit(target, inner)
        meta = self._files.get(self._in_role(role, "meta", "main") or "")
        for entry in _entries(meta.get("dependencies") if isinstance(meta, dict) else None):
            needed = entry.get("role", entry.get("name"))
            if isinstance(needed, str) and needed != role:
                self._enter_needed(needed, context.below(entry))

    def _enter_needed(self, role: str, context: Context) -> None:
        """A role that another needs: entered once a context, so that two that need each other end."""
        main = self._in_role(role, "tasks", "main")
        if main is not None and replace(context, role=role) not in self._contexts.get(main, []):
            self._enter_role(role, context, "main")

    def _visit(self, file: str, context: Context) -> None:
        seen = self._contexts.setdefault(file, [])
        if context not in seen and len(seen) < _MOST_CONTEXTS:
            seen.append(context)
            self._queue.append((file, context))

    def _in_role(self, role: str, folder: str, start: str) -> str | None:
        for base in self._roles.get(role.rpartition(".")[2] if role not in self._roles else role, ()):
            for name in _spellings(f"{base}/{folder}/{start}"):
                if name in self._files:
                    return name
        return None

    def _beside(self, file: str, source: str) -> str | None:
        """Next to the file, or in the `tasks` folder of its role."""
        parent = PurePosixPath(file).parent
        for base in (parent, *(each / "tasks" for each in (parent, *parent.parents))):
            name = _normal(base / source)
            if name in self._files:
                return name
        return None


def include_of(task: Lined, context: Context) -> tuple[str, object] | None:
    """The full name of the include that a task is and what it names, if it is one."""
    for key, value in task.items():
        module = module_name(key, context.collections)
        if module in INCLUDES and isinstance(module, str):
            named = value.get("file", value.get("name")) if isinstance(value, dict) else value
            return module, named
    return None


def lined_list(value: object, place: str) -> list[Lined]:
    """A list of plays or tasks; raises PackError at anything else, with its line where it has one."""
    if value is None:
        return []
    if not isinstance(value, list):
        line = f" line {value.line}" if isinstance(value, Lined) else ""
        raise PackError(f"{shown(place)}{line}: expected a list of plays or tasks, got {shown(value)}")
    strangers = [entry for entry in value if not isinstance(entry, Lined)]
    if strangers:
        raise PackError(
            f"{shown(place)}: expected a mapping for each play or task, got {shown(strangers[0])}"
        )
    return value


def _arguments(task: Lined) -> Mapping[str, object]:
    named = (
        value for value in task.values() if isinstance(value, dict) and ("file" in value or "name" in value)
    )
    return next(named, {})


def _entries(value: object) -> Iterator[Mapping[str, object]]:
    """Roles of a play and dependencies of a role: names, or mappings with a name."""
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, str):
            yield {"role": entry}
        elif isinstance(entry, dict):
            yield entry


def _role_folders(files: Mapping[str, object]) -> Mapping[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for name in files:
        parts = PurePosixPath(name).parts
        for place in range(1, len(parts) - 1):
            if parts[place] in ("tasks", "handlers", "meta"):
                base = "/".join(parts[:place])
                known = folders.setdefault(parts[place - 1], [])
                if base not in known:
                    known.append(base)
    return folders


def _spellings(path: str) -> tuple[str, ...]:
    return (path,) if path.endswith((".yml", ".yaml")) else (f"{path}.yml", f"{path}.yaml")


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part not in (".", ".."):
            parts.append(part)
    return "/".join(parts)
