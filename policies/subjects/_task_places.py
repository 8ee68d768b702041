"""Where Ansible finds what a play or task names, among the files that are judged.

Each answer is a path in the folder, `Unknown` where only the run knows it, or None: it lies elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from policies.facts import Unknown, shown
from policies.subjects._task_context import is_template
from policies.subjects._task_files import Content, Unread, Why, content_of
from policies.subjects._task_paths import parents, within
from policies.subjects._task_words import strange

Place = str | Unknown | None
_SPELLINGS: Final = ("", ".yml", ".yaml", ".json")
_ROLE_PARTS: Final = frozenset(
    {"tasks", "handlers", "meta", "vars", "defaults", "library", "files", "templates"}
)
_COLLECTIONS: Final = "ansible_collections"
_MODULE_FOLDERS: Final = frozenset({"library", "action_plugins"})


class Places:
    """The files of a folder by how Ansible looks for them."""

    def __init__(
        self, files: Mapping[str, object], *, roles_path: Sequence[str] = (), elsewhere: Collection[str] = ()
    ) -> None:
        """`elsewhere`: paths of roles and modules that come with Steward and are judged where it is built."""
        self._files = files
        self._elsewhere = frozenset(elsewhere)
        self._folders = frozenset(folder for name in files for folder in parents(name))
        self._roles_path = tuple(roles_path)
        playbooks = (name for name, value in files.items() if content_of(name, value) is Content.PLAYS)
        self._of_plays = tuple(dict.fromkeys(parents(name)[0] for name in playbooks))
        self.own_modules = frozenset(_own_modules(files))
        self._shipped_modules = frozenset(PurePosixPath(name).stem for name in self._elsewhere)

    def tasks(self, file: str, source: object) -> Place:
        """A file of tasks that one of a play, role or other file of tasks names."""
        bases = [base for base in parents(file) if base.rpartition("/")[2] in ("tasks", "handlers")][:1]
        bases += [parents(file)[0], *(_join(base, "tasks") for base in parents(file))]
        return self._first(bases, source)

    def playbook(self, file: str, source: object) -> Place:
        """A playbook that another one imports, by its path or as one of a collection."""
        if isinstance(source, str) and source.count(".") >= 2 and "/" not in source and not _is_yaml(source):
            space, collection, *rest = source.split(".")
            folders = self._of_collection(space, collection, "playbooks")
            return self._first([_join(folder, *rest[:-1]) for folder in folders], rest[-1], spelled=True)
        return self._first([parents(file)[0]], source)

    def variables(self, file: str, source: object) -> Place:
        """A file of variables."""
        near = (*self._role_of(file), parents(file)[0], *self._of_plays)
        return self._first([_join(base, part) for base in near for part in ("vars", "")], source)

    def variables_in(self, file: str, source: object) -> Place | list[str]:
        """All files of variables below a folder."""
        if not isinstance(source, str) or is_template(source):
            return _not_said(source)
        roles = [_join(base, part) for base in self._role_of(file) for part in ("", "vars")]
        for base in (*roles, parents(file)[0]):
            folder = within(base, source)
            if folder is None:
                return None
            if folder in self._folders:
                found = [name for name in self._files if name.startswith(_below(folder))]
                unread = next((name for name in found if isinstance(self._files[name], Unread)), None)
                return found if unread is None else Unknown(f"{shown(unread)} is not read")
        return None

    def role(self, file: str, name: object, collections: Sequence[str]) -> Place:
        """The folder of a role."""
        if not isinstance(name, str) or is_template(name):
            return _not_said(name)
        if "/" not in name and name.count(".") >= 2:
            space, collection, *rest = name.split(".")
            inside = [_join(base, *rest) for base in self._of_collection(space, collection, "roles")]
            return next((folder for folder in inside if folder in self._folders), None)
        strangers = [] if "/" in name else strange(collections)
        if strangers:
            return Unknown(f"{shown(name)} may be a role of the collection {strangers[0]}")
        bases = [_join(base, "roles") for base in (*parents(file), *self._of_plays)]
        for base in (*bases, *self._roles_path, *parents(file), *self._of_plays):
            folder = within(base, name)
            if folder is None:
                return None
            if folder in self._elsewhere or any(_join(folder, part) in self._folders for part in _ROLE_PARTS):
                return folder
        return None

    def in_role(self, role: str, folder: str, start: object) -> Place:
        """A file in a folder of a role, out of which Ansible does not let a name lead."""
        found = self._first([_join(role, folder)], start, spelled=True)
        return None if isinstance(found, str) and not found.startswith(_below(_join(role, folder))) else found

    def comes_with_steward(self, role: str) -> bool:
        """Whether a folder of a role is one that is judged where Steward is built."""
        return role in self._elsewhere

    def has_module(self, module: str) -> bool:
        """Whether a module that is in no table lies among the files, where it is told as code."""
        if "." not in module:
            return module in self.own_modules | self._shipped_modules
        space, collection, *rest = module.split(".")
        names = [_join(base, *rest) for base in self._of_collection(space, collection, "plugins/modules")]
        return any(file.rpartition(".")[0] in names for file in self._files)

    def _first(self, bases: Iterable[str], source: object, *, spelled: bool = False) -> Place:
        """The first that is there; None as soon as Ansible would look out of the folder."""
        if not isinstance(source, str) or is_template(source):
            return _not_said(source)
        for base in bases:
            name = within(base, source)
            if name is None:
                return None
            for ending in _SPELLINGS if spelled else ("",):
                if name + ending in self._files:
                    return self._told(name + ending)
        return None

    def _told(self, name: str) -> Place:
        value = self._files[name]
        if isinstance(value, Unread):
            return Unknown(f"{shown(name)} is encrypted as a whole") if value.why is Why.ENCRYPTED else None
        return name

    def _role_of(self, file: str) -> list[str]:
        for base in parents(file)[:-1]:
            if base.rpartition("/")[2] in ("tasks", "handlers"):
                return [base.rpartition("/")[0]]
        return []

    def _of_collection(self, space: str, collection: str, part: str) -> list[str]:
        end = _join(_COLLECTIONS, space, collection, part)
        return [folder for folder in self._folders if folder == end or folder.endswith(f"/{end}")]


def _own_modules(files: Mapping[str, object]) -> Iterator[str]:
    for name, value in files.items():
        if isinstance(value, Unread) and value.why is Why.CODE:
            file = PurePosixPath(name)
            if _MODULE_FOLDERS & set(file.parts[:-1]):
                yield file.stem


def _not_said(source: object) -> Unknown | None:
    if source is None:
        return Unknown("no file is named")
    return Unknown(f"a template: {shown(source)}") if is_template(source) else None


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _below(folder: str) -> str:
    """How the paths of all files in a folder begin."""
    return f"{folder}/" if folder else ""


def _is_yaml(source: str) -> bool:
    return source.endswith((".yml", ".yaml"))
