"""Playbooks and roles as subjects: tasks, heads of plays and blocks, variables and settings.

A task's facts: `name`, `file`, `line`, `play`, `role`, `handler`, `module` in full, `args`, `freeForm`,
`commandLine` (of command, shell, raw and script, however it was given), `become`, `becomeUser`, `noLog`,
`when`, `loop`, `changedWhen`, `failedWhen`, `ignoreErrors`, `delegateTo`, `connection`, `environment`,
`vars`, `taskTags`, `notify`, `register`, and `includes` where it brings in further tasks. `written` has each
text of it with path and key, before any template is replaced. A value that is one template is unknown.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from typing import Final

from policies.facts import Facts, Unknown, shown
from policies.model import Kind, PackError, Subject
from policies.subjects._lined_yaml import Lined, read_lined
from policies.subjects._task_context import Context
from policies.subjects._task_files import CONFIGURATION, Content, content_of, read_folder
from policies.subjects._task_reading import head_facts, task_facts, written_texts
from policies.subjects._task_walk import BLOCK_PARTS, SECTIONS, Reach, include_of, lined_list

__all__ = ["PLAYBOOK_TYPES", "playbook_subjects", "read_folder"]

PLAYBOOK_TYPES: Final = ("task", "play", "block", "variables", "settings")
_IN_A_HEAD: Final = frozenset({*SECTIONS, *BLOCK_PARTS})


def playbook_subjects(
    files: Mapping[str, str], *, stack: str, tags: Mapping[str, str]
) -> tuple[Subject, ...]:
    """Everything in the files (path -> text) that a rule can judge; raises PackError with file and line."""
    read = {name: read_lined(text, name) for name, text in files.items() if not _is_configuration(name)}
    return tuple(_Naming(stack, tags).subjects(_found(files, read)))


class _Naming:
    """Gives each thing an identity that an edit elsewhere in its file does not change."""

    def __init__(self, stack: str, tags: Mapping[str, str]) -> None:
        self._stack, self._tags = stack, dict(tags)
        self._used: dict[str, int] = {}

    def subjects(self, found: Iterator[tuple[str, str, int, dict[str, object]]]) -> Iterator[Subject]:
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


def _found(
    files: Mapping[str, str], read: Mapping[str, object]
) -> Iterator[tuple[str, str, int, dict[str, object]]]:
    reach = Reach(read)
    for name, text in files.items():
        if _is_configuration(name):
            yield "settings", name, 1, _settings(name, text)
            continue
        value, content = read[name], content_of(name, read[name])
        if content is Content.PLAYS:
            for play in lined_list(value, name):
                yield from _play(reach, name, play)
        elif content is Content.TASKS:
            handler = "handlers" in name.split("/")[:-1]
            yield from _tasks(reach, name, value, reach.context(name), handler=handler)
        elif content is Content.VARIABLES and isinstance(value, Lined) and value:
            yield "variables", name, value.line, head_facts({"vars": value}, frozenset())


def _play(reach: Reach, file: str, play: Lined) -> Iterator[tuple[str, str, int, dict[str, object]]]:
    yield "play", file, play.line, head_facts(play, _IN_A_HEAD)
    if "hosts" in play:
        context = reach.play(play)
        for section in SECTIONS:
            yield from _tasks(reach, file, play.get(section), context, handler=section == "handlers")


def _tasks(
    reach: Reach, file: str, value: object, context: Context, *, handler: bool
) -> Iterator[tuple[str, str, int, dict[str, object]]]:
    for task in lined_list(value, file):
        if "block" in task:
            yield "block", file, task.line, head_facts(task, _IN_A_HEAD)
            for part in BLOCK_PARTS:
                yield from _tasks(reach, file, task.get(part), context.below(task), handler=handler)
        else:
            facts = task_facts(task, context, file)
            include = include_of(task, context)
            if include:
                facts["includes"] = _included(reach.target(file, task, *include), include[1])
            yield "task", file, task.line, {**facts, "handler": handler}


def _included(target: str | Unknown | None, named: object) -> dict[str, object]:
    known = isinstance(target, str)
    return {
        "named": target if isinstance(target, Unknown) else shown(named),
        "file": target if known else None,
    }


def _settings(name: str, text: str) -> dict[str, object]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise PackError(f"{shown(name)}: not a settings file: {shown(str(error))}") from None
    values = {section: dict(parser.items(section)) for section in parser.sections()}
    rows = [row for section, own in values.items() for row in written_texts(own, section, section)]
    return {"name": CONFIGURATION, "vars": values, "written": rows}


def _is_configuration(name: str) -> bool:
    return name.rpartition("/")[2] == CONFIGURATION
