"""Which files a play reaches, and what each inherits there: read from the files alone, nothing is run."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from policies.facts import shown
from policies.model import PackError
from policies.subjects._lined_yaml import Lined
from policies.subjects._task_context import Context, merged
from policies.subjects._task_files import Content, content_of
from policies.subjects._task_include import Include, include_of, role_entries, role_named
from policies.subjects._task_places import Place, Places
from policies.subjects._task_words import module_name

SECTIONS: Final = ("pre_tasks", "tasks", "post_tasks", "handlers")
BLOCK_PARTS: Final = ("block", "rescue", "always")
IMPORTED: Final = "ansible.builtin.import_playbook"
_MOST_CONTEXTS: Final = 32
"""Of one file; past that it counts as used in all ways, and what differs is unknown anyway."""
_INHERITED_BY_INCLUDES: Final = "apply"


class Reach:
    """The contexts of each file of tasks, found from the plays on."""

    def __init__(self, files: Mapping[str, object], places: Places) -> None:
        self._files = files
        self._places = places
        self._contexts: dict[str, list[Context]] = {}
        self._entered: dict[str, list[Context]] = {}
        self._queue: deque[tuple[str, Context]] = deque()
        self._roles: deque[tuple[str, str, Context]] = deque()
        self._plays = deque(name for name, value in files.items() if content_of(name, value) is Content.PLAYS)
        played = set(self._plays)
        while self._plays:
            name = self._plays.popleft()
            for play in lined_list(files[name], name):
                self._play(name, play, played)
        while self._queue or self._roles:
            if self._roles:
                self._needed(*self._roles.popleft())
            else:
                file, context = self._queue.popleft()
                self._tasks(file, lined_list(self._files[file], file), context)

    def context(self, file: str) -> Context:
        """What every task of the file inherits."""
        return merged(self._contexts.get(file, []))

    @staticmethod
    def play(play: Lined) -> Context:
        """What the tasks of a play inherit from it."""
        return replace(Context().below(play), play=str(play.get("name") or play["hosts"]))

    def target(self, file: str, include: Include, context: Context) -> Place:
        """The file of tasks that an include names, or the folder of a role that has none to begin with."""
        if not include.role:
            return self._places.tasks(file, include.source)
        role = self._places.role(file, include.source, context.collections)
        if not isinstance(role, str) or self._places.comes_with_steward(role):
            return role
        start = self._places.in_role(role, "tasks", include.start)
        return role if start is None and "tasks_from" not in include.arguments else start

    def _play(self, file: str, play: Lined, played: set[str]) -> None:
        imported = imported_playbook(play)
        found = self._places.playbook(file, imported[1]) if imported else None
        if isinstance(found, str) and found not in played:
            played.add(found)
            self._plays.append(found)
        if "hosts" not in play:
            return
        context = self.play(play)
        for _, entry in role_entries(play.get("roles")):
            self._enter(file, role_named(entry), context.below(entry), "main")
        for section in SECTIONS:
            self._tasks(file, lined_list(play.get(section), file), context)

    def _tasks(self, file: str, entries: list[Lined], context: Context) -> None:
        for task in entries:
            parts = [part for part in BLOCK_PARTS if part in task]
            for part in parts:
                self._tasks(file, lined_list(task[part], file), context.below(task))
            found = None if parts else include_of(task, context, file)
            if found:
                self._include(file, task, found, context)

    def _include(self, file: str, task: Lined, include: Include, context: Context) -> None:
        applied = include.arguments.get(_INHERITED_BY_INCLUDES)
        inner = context.below(task) if ".import_" in include.module else context
        inner = inner.below(applied) if isinstance(applied, dict) else inner
        if include.role:
            handlers = include.arguments.get("handlers_from", "main")
            self._enter(file, include.source, inner, include.start, handlers)
            return
        target = self.target(file, include, context)
        if isinstance(target, str):
            self._visit(target, inner)

    def _enter(
        self, file: str, role: object, context: Context, start: object, handlers: object = "main"
    ) -> None:
        """A role that a file names: entered once a context, so that two that need each other end."""
        base = self._places.role(file, role, context.collections)
        if not isinstance(base, str):
            return
        meta = self._files.get(str(self._places.in_role(base, "meta", "main")))
        said = meta if isinstance(meta, dict) else {}
        inner = replace(context, role=str(role))
        if "collections" in said:
            inner = inner.below({"collections": said["collections"]})
        for folder, name in (("tasks", start), ("handlers", handlers)):
            target = self._places.in_role(base, folder, name)
            if isinstance(target, str):
                self._visit(target, inner)
        entered = self._entered.setdefault(base, [])
        if context not in entered and len(entered) < _MOST_CONTEXTS:
            entered.append(context)
            self._roles.extend(
                (f"{base}/meta/main.yml", str(role_named(entry)), context.below(entry))
                for _, entry in role_entries(said.get("dependencies"))
            )

    def _needed(self, file: str, role: str, context: Context) -> None:
        self._enter(file, role, context, "main")

    def _visit(self, file: str, context: Context) -> None:
        seen = self._contexts.setdefault(file, [])
        if context not in seen and len(seen) < _MOST_CONTEXTS:
            seen.append(context)
            self._queue.append((file, context))


def imported_playbook(play: Lined) -> tuple[str, object] | None:
    """The key and the playbook, where an entry of a playbook imports another one."""
    for key, value in play.items():
        if module_name(key, ()) == IMPORTED:
            return key, value
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
