"""What a play, task, role or setting brings in from elsewhere, each with the file that it is, if any.

A row has `what`, `path` (where it is said), `named` (unknown where only the run knows) and `file`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.facts import Unknown, shown
from policies.subjects._lined_yaml import Lined
from policies.subjects._task_context import Context, texts
from policies.subjects._task_files import Content, Unread, Why
from policies.subjects._task_include import (
    SCRIPT,
    VARIABLES,
    Include,
    named_arguments,
    role_entries,
    role_named,
)
from policies.subjects._task_paths import parents, within
from policies.subjects._task_places import Place, Places
from policies.subjects._task_reading import action_of
from policies.subjects._task_settings import named_folders
from policies.subjects._task_walk import imported_playbook
from policies.subjects._task_words import foreign_collection

Row = dict[str, object]
PLAYBOOK: Final = "playbook"
VARIABLE_FILE: Final = "file of variables"
ROLE: Final = "role"
_CONTENTS: Final = {PLAYBOOK: Content.PLAYS, VARIABLE_FILE: Content.VARIABLES}
_FROM: Final = {"vars_from": "vars", "defaults_from": "defaults", "handlers_from": "handlers"}
_GROUP: Final = "group/"
_UNREAD: Final = {
    Why.CODE: "code that no rule reads",
    Why.ENCRYPTED: "encrypted by Ansible Vault as a whole",
}


class Brings:
    """The rows of each thing in a folder of playbooks."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def of_play(self, file: str, play: Lined) -> Iterator[Row]:
        """An imported playbook, roles, files of variables, and defaults for groups of modules."""
        imported = imported_playbook(play)
        if imported:
            yield _row(PLAYBOOK, imported[0], imported[1], self._places.playbook(file, imported[1]))
        yield from self._roles("roles", file, play.get("roles"), Context().below(play).collections)
        listed = play.get("vars_files")
        for place, entry in enumerate(_listed(listed)):
            for path, source in _one_of(f"vars_files[{place}]", entry):
                yield _row(VARIABLE_FILE, path, source, self._places.variables(file, source))
        yield from self.of_head(play)

    def of_head(self, head: Mapping[str, object]) -> Iterator[Row]:
        """Of a play, block or task: arguments for all modules of a group, which nobody here knows."""
        said = head.get("module_defaults")
        for layer in said if isinstance(said, list) else [said]:
            for key in layer if isinstance(layer, dict) else ():
                if key.startswith(_GROUP):
                    unknown = Unknown(f"which modules are in {shown(key)} is not known here")
                    yield _row("arguments", f"module_defaults.{key}", key, unknown)

    def of_role(self, file: str, meta: Mapping[str, object]) -> Iterator[Row]:
        """The roles that a role needs."""
        collections = Context().below({k: v for k, v in meta.items() if k == "collections"}).collections
        yield from self._roles("dependencies", file, meta.get("dependencies"), collections)

    def of_task(
        self, file: str, task: Lined, module: object, include: Include | None, context: Context
    ) -> Iterator[Row]:
        """Variables, programs and modules of a task, and what of a role it names beside its tasks."""
        raw = action_of(task, file)[1]
        if isinstance(module, Unknown):
            yield _row("module", "module", "", module)
        elif include:
            yield from self._of_include(file, include, context.below(task).collections)
        elif module == VARIABLES:
            yield from self._variables(file, named_arguments(raw, task))
        elif module == SCRIPT:
            yield from self._script(file, named_arguments(raw, task))
        else:
            yield from self._module(str(module))
        yield from self.of_head(task)

    @staticmethod
    def of_settings(name: str, sections: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
        """Folders of code and roles that an ansible.cfg names."""
        for path, written, folder in named_folders(sections, name):
            yield _row("folder", path, written, "." if folder == "" else folder)

    @staticmethod
    def of_unread(text: Unread) -> Iterator[Row]:
        """Of code, links and encrypted files: that no rule reads them."""
        if text.why is Why.LINK:
            yield _row("link", "link", f"what the link leads to, {text},", None)
        else:
            yield _row(text.why, text.why, text, Unknown(f"{_UNREAD[text.why]}, {text[:23]}"))

    def _roles(self, key: str, file: str, value: object, collections: tuple[str, ...]) -> Iterator[Row]:
        for place, entry in role_entries(value):
            name = role_named(entry)
            path = f"{key}[{place}]" if isinstance(value, list) else key
            yield _row(ROLE, path, name, self._places.role(file, name, collections))

    def _of_include(self, file: str, include: Include, collections: tuple[str, ...]) -> Iterator[Row]:
        role = self._places.role(file, include.source, collections) if include.role else None
        if not isinstance(role, str) or self._places.comes_with_steward(role):
            return
        for key, folder in _FROM.items():
            if key in include.arguments:
                start = include.arguments[key]
                yield _row(key, key, start, self._places.in_role(role, folder, start))

    def _variables(self, file: str, arguments: Mapping[str, object]) -> Iterator[Row]:
        if "dir" not in arguments:
            key = next((each for each in ("file", "_raw_params") if each in arguments), "file")
            source = arguments.get(key)
            yield _row(VARIABLE_FILE, f"args.{key}", source, self._places.variables(file, source))
            return
        found = self._places.variables_in(file, arguments["dir"])
        if not isinstance(found, list):
            yield _row(VARIABLE_FILE, "args.dir", arguments["dir"], found)
            return
        for name in found:
            yield _row(VARIABLE_FILE, "args.dir", name, name)
        others = [each for each in texts(arguments.get("extensions")) if each not in ("yml", "yaml", "json")]
        if others:
            unknown = Unknown(f"files that end in {shown(others[0])} are not read")
            yield _row(VARIABLE_FILE, "args.extensions", "", unknown)

    @staticmethod
    def _script(file: str, arguments: Mapping[str, object]) -> Iterator[Row]:
        line = next((arguments[key] for key in ("_raw_params", "cmd") if key in arguments), None)
        program = line.split()[0] if isinstance(line, str) and line.split() else None
        unknown: Place = Unknown(f"a program that no rule reads: {shown(program)}")
        inside = program is not None and within(parents(file)[0], program) is not None
        yield _row("program", "args", program, unknown if inside else None)

    def _module(self, module: str) -> Iterator[Row]:
        collection = foreign_collection(module)
        if collection is None or self._places.has_module(module):
            return
        of = f"of the collection {collection}" if collection else "that is in no table"
        yield _row(
            "module", "module", module, Unknown(f"{shown(module)} is a module {of}, and not among the files")
        )


def contents_of(row: Row) -> Content | None:
    """As what the file of a row is used, which its place need not say."""
    return _CONTENTS.get(str(row["what"]))


def _row(what: str, path: str, named: object, found: Place) -> Row:
    unknown = found if isinstance(found, Unknown) else None
    return {
        "what": what,
        "path": path,
        "named": unknown or shown(named),
        "file": found if isinstance(found, str) else None,
    }


def _listed(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [] if value is None else [each.strip() for each in str(value).split(",")]


def _one_of(path: str, entry: object) -> Iterator[tuple[str, object]]:
    """The files of a list of which Ansible takes the first that is there: any of them may be it."""
    if isinstance(entry, list):
        for place, each in enumerate(entry):
            yield f"{path}[{place}]", each
    else:
        yield path, entry
