"""Playbooks and roles as subjects: tasks, heads, variables, settings, needs of roles, and what is not read.

A task's facts: `name`, `file`, `line`, `play`, `role`, `handler`, `module` in full, `args`, `freeForm`,
`commandLine` (of command, shell, raw and script, however it was given), `become`, `becomeUser`, `noLog`,
`when`, `loop`, `changedWhen`, `failedWhen`, `ignoreErrors`, `delegateTo`, `connection`, `environment`,
`vars`, `taskTags`, `notify`, `register`, and `includes` where it brings in further tasks. `written` has each
text of it with path and key, before any template is replaced. A value that is one template is unknown.
`brings` of all but variables: what it brings in from elsewhere, with the file that this is, if it is there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from policies.facts import Facts, Unknown, shown
from policies.model import Kind, Subject
from policies.subjects._lined_yaml import Lined, read_lined
from policies.subjects._task_brings import Brings, Row, contents_of
from policies.subjects._task_context import Context
from policies.subjects._task_files import Content, Unread, Why, content_of, read_folder
from policies.subjects._task_include import include_of
from policies.subjects._task_places import Place, Places
from policies.subjects._task_reading import head_facts, task_facts, written_texts
from policies.subjects._task_settings import CONFIGURATION, read_settings, role_folders
from policies.subjects._task_walk import BLOCK_PARTS, SECTIONS, Reach, lined_list

__all__ = ["playbook_subjects", "read_folder"]

Found = tuple[str, str, int, dict[str, object]]
_IN_A_HEAD: Final = frozenset({*SECTIONS, *BLOCK_PARTS})


def playbook_subjects(
    files: Mapping[str, str], *, stack: str, tags: Mapping[str, str], elsewhere: Collection[str] = ()
) -> tuple[Subject, ...]:
    """Everything in the files (path -> text) that a rule can judge; raises PackError with file and line.

    `elsewhere`: paths of roles and modules that Steward brings and that are judged where it is built.
    """
    return tuple(_Naming(stack, tags).subjects(_Folder(files, elsewhere).found()))


class _Naming:
    """Gives each thing an identity that an edit elsewhere in its file does not change."""

    def __init__(self, stack: str, tags: Mapping[str, str]) -> None:
        self._stack, self._tags = stack, dict(tags)
        self._used: dict[str, int] = {}

    def subjects(self, found: Iterator[Found]) -> Iterator[Subject]:
        for kind, file, line, facts in found:
            label = str(facts["name"]) or (shown(facts["module"]) if kind == "task" else kind)
            place = shown(f"{file}/{label}")
            number = self._used[place] = self._used.get(place, 0) + 1
            place = place if number == 1 else f"{place}#{number}"
            yield Subject(
                kind=Kind.PLAYBOOK_TASK,
                type=kind,
                name=shown(f"{file}:{line} {label}"),
                urn=f"{Kind.PLAYBOOK_TASK}:{self._stack}/{place}",
                stack=self._stack,
                facts=Facts({**facts, "file": file, "line": line, "tags": self._tags}),
                source_type=kind,
                witness="file",
            )


class _Folder:
    """All that is in a folder, each thing once for each way in which it is used."""

    def __init__(self, files: Mapping[str, str], elsewhere: Collection[str]) -> None:
        settings = {name: text for name, text in files.items() if _is_configuration(name)}
        self._settings = {name: text for name, text in settings.items() if not isinstance(text, Unread)}
        self._names = tuple(files)
        self._read = {
            name: text if isinstance(text, Unread) else read_lined(text, name)
            for name, text in files.items()
            if name not in self._settings
        }
        roles_path = [folder for name, text in self._settings.items() for folder in role_folders(text, name)]
        self._places = Places(self._read, roles_path=roles_path, elsewhere=elsewhere)
        self._reach = Reach(self._read, self._places)
        self._brings = Brings(self._places)
        self._open: deque[tuple[str, Content]] = deque()
        self._told: set[tuple[str, Content]] = set()

    def found(self) -> Iterator[Found]:
        """Kind, file, line and facts of each thing."""
        for name in self._names:
            if name in self._settings:
                yield "settings", name, 1, self._of_settings(name, self._settings[name])
            else:
                yield from self._first(name, self._read[name])
        while self._open:
            yield from self._file(*self._open.popleft())

    def _first(self, name: str, value: object) -> Iterator[Found]:
        """A file as what it is by its place."""
        if not isinstance(value, Unread):
            yield from self._file(name, content_of(name, value))
        elif value.why is not Why.OTHER:
            rows = list(self._brings.of_unread(value))
            yield "unread", name, 1, {"name": value.why.value, "brings": rows, "written": []}

    def _file(self, name: str, content: Content) -> Iterator[Found]:
        """A file as what it is by its place, or as what something uses it."""
        if (name, content) in self._told:
            return
        self._told.add((name, content))
        value = self._read[name]
        if content is Content.PLAYS:
            for play in lined_list(value, name):
                yield from self._play(name, play)
        elif content is Content.TASKS:
            handler = "handlers" in name.split("/")[:-1]
            yield from self._tasks(name, value, self._reach.context(name), handler=handler)
        elif content is Content.VARIABLES and isinstance(value, Lined) and value:
            yield "variables", name, value.line, head_facts({"vars": value}, frozenset())
        elif content is Content.ROLE_META and isinstance(value, Lined) and value.get("dependencies"):
            rows = self._noted(self._brings.of_role(name, value))
            yield "role", name, value.line, {"name": "dependencies", "brings": rows, "written": []}

    def _play(self, file: str, play: Lined) -> Iterator[Found]:
        rows = self._noted(self._brings.of_play(file, play))
        yield "play", file, play.line, {**head_facts(play, _IN_A_HEAD), "brings": rows}
        if "hosts" in play:
            context = self._reach.play(play)
            for section in SECTIONS:
                yield from self._tasks(file, play.get(section), context, handler=section == "handlers")

    def _tasks(self, file: str, value: object, context: Context, *, handler: bool) -> Iterator[Found]:
        for task in lined_list(value, file):
            if "block" in task:
                rows = list(self._brings.of_head(task))
                yield "block", file, task.line, {**head_facts(task, _IN_A_HEAD), "brings": rows}
                for part in BLOCK_PARTS:
                    yield from self._tasks(file, task.get(part), context.below(task), handler=handler)
            else:
                yield "task", file, task.line, {**self._task(file, task, context), "handler": handler}

    def _task(self, file: str, task: Lined, context: Context) -> dict[str, object]:
        facts = task_facts(task, context, file, self._places.own_modules)
        include = include_of(task, context, file)
        if include:
            target = self._reach.target(file, include, context.below(task))
            facts["includes"] = _included(target, include.source)
            if isinstance(target, str) and target in self._read:
                self._open.append((target, Content.TASKS))
        rows = self._noted(self._brings.of_task(file, task, facts["module"], include, context))
        return {**facts, "brings": rows}

    def _noted(self, rows: Iterator[Row]) -> list[Row]:
        """The rows, whose files are judged as what they are used for, wherever they lie."""
        kept = list(rows)
        for row in kept:
            content = contents_of(row)
            if content is not None and row["file"] in self._read:
                self._open.append((str(row["file"]), content))
        return kept

    def _of_settings(self, name: str, text: str) -> dict[str, object]:
        values = read_settings(text, name)
        rows = [row for section, own in values.items() for row in written_texts(own, section, section)]
        brings = list(self._brings.of_settings(name, values))
        return {"name": CONFIGURATION, "vars": values, "written": rows, "brings": brings}


def _included(target: Place, named: object) -> dict[str, object]:
    return {
        "named": target if isinstance(target, Unknown) else shown(named),
        "file": target if isinstance(target, str) else None,
    }


def _is_configuration(name: str) -> bool:
    return name.rpartition("/")[2] == CONFIGURATION
