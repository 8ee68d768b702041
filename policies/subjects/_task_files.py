"""The files of a folder of playbooks, and what each of them is by its place and content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final, Self

from policies.facts import shown
from policies.model import PackError
from policies.subjects._lined_yaml import MOST_CHARACTERS
from policies.subjects._task_settings import CONFIGURATION, folders_of_code

MOST_FILES: Final = 2_000
MOST_CHARACTERS_OF_ALL: Final = 32 * MOST_CHARACTERS
_ENDINGS: Final = (".yml", ".yaml")
_ALSO_YAML: Final = frozenset({"", ".json"})
"""Endings that Ansible takes for YAML too, in the folders whose files it finds by itself."""
_TASK_FOLDERS: Final = frozenset({"tasks", "handlers"})
_VARIABLE_FOLDERS: Final = frozenset({"vars", "defaults", "group_vars", "host_vars"})
_META: Final = "meta"
_PLAYBOOKS: Final = "playbooks"
_CODE_FOLDERS: Final = frozenset({"library", "module_utils", "plugins", "doc_fragments"})
_PASSED_ON: Final = frozenset({"files", "templates"})
"""What lies in these is handed to hosts, and is nothing that Ansible itself runs."""
_OTHER_FOLDERS: Final = _CODE_FOLDERS | _PASSED_ON | {"molecule", "collections"}
_NO_CODE: Final = (*(".yml", ".yaml", ".ini", ".pyc", ".pyo", ".swp", ".bak", "~", ".md", ".txt", ".rst"),)
"""What Ansible never takes for a module."""
_CACHE: Final = "__pycache__"
_VAULT: Final = "$ANSIBLE_VAULT;"
_MOST_BYTES_OF_CODE: Final = 64 * MOST_CHARACTERS


class Content(StrEnum):
    """What a file of a playbook folder holds."""

    PLAYS = "plays"
    TASKS = "tasks"
    VARIABLES = "variables"
    ROLE_META = "role_meta"
    OTHER = "other"


class Why(StrEnum):
    """Why nobody reads what lies in a folder of playbooks."""

    CODE = "code"
    LINK = "link"
    ENCRYPTED = "encrypted"
    OTHER = "other"
    """Variables in a form that only an include by its folder would take."""


class Unread(str):
    """Stands for the text of what no rule reads: its digest, or where a link leads."""

    __slots__ = ("why",)
    why: Why

    def __new__(cls, text: str, why: Why) -> Self:
        """The text, with why nobody reads what it stands for."""
        made = super().__new__(cls, text)
        made.why = why
        return made


def read_folder(path: Path) -> Mapping[str, str]:
    """The YAML files below a folder and its ansible.cfg, by their paths in it; raises PackError.

    Modules and plugins, links, and files that are encrypted as a whole are in it as `Unread`. Links are not
    followed: one that leads out of the folder would bring in what nobody asked to judge.
    """
    if not path.is_dir():
        raise PackError(f"{shown(str(path))}: expected a folder with playbooks, got no folder")
    texts: dict[str, str] = {}
    total = 0
    places = sorted(_places(path))
    for name, text in _read(path, places, _configured(path, places)):
        if len(texts) >= MOST_FILES:
            raise PackError(f"{shown(str(path))}: more than {MOST_FILES} files; judge a smaller folder")
        texts[name] = text
        total += len(text)
        if total > MOST_CHARACTERS_OF_ALL:
            raise PackError(f"{shown(str(path))}: more than {MOST_CHARACTERS_OF_ALL} characters in all")
    return texts


def content_of(name: str, value: object) -> Content:
    """What a file holds: by the folder it is in, else by what stands in it."""
    folders = PurePosixPath(name).parts[:-1]
    for folder in reversed(folders):
        if folder in _TASK_FOLDERS:
            return Content.TASKS
        if folder in _VARIABLE_FOLDERS:
            return Content.VARIABLES
        if folder == _META:
            return Content.ROLE_META
        if folder == _PLAYBOOKS:
            break  # of a collection: by what stands in them
        if folder in _OTHER_FOLDERS:
            return Content.OTHER
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        plays = any("hosts" in entry or _imports_playbook(entry) for entry in value)
        return Content.PLAYS if plays else Content.TASKS
    return Content.VARIABLES if isinstance(value, dict) else Content.OTHER


def _imports_playbook(entry: Mapping[str, object]) -> bool:
    return any(key.rpartition(".")[2] == "import_playbook" for key in entry)


def _places(path: Path) -> Iterator[tuple[str, bool]]:
    """Each file below the folder, and each link to a file or folder, with whether it is a link."""
    for folder, below, names in os.walk(path):
        below[:] = sorted(name for name in below if not name.startswith(".") and name != _CACHE)
        for name in (*below, *names):
            file = Path(folder) / name
            if not name.startswith(".") and (name in names or file.is_symlink()):
                yield file.relative_to(path).as_posix(), file.is_symlink()


def _configured(path: Path, places: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    """Further folders of modules and plugins: those that an ansible.cfg names."""
    return tuple(
        folder
        for name, link in places
        if name.rpartition("/")[2] == CONFIGURATION and not link
        for folder in folders_of_code(_text(path / name, name), name)
    )


def _read(path: Path, places: Iterable[tuple[str, bool]], code: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, link in places:
        if _is_text(name):
            text = Unread(str((path / name).readlink()), Why.LINK) if link else _text(path / name, name)
            yield name, Unread(_digest(text.encode()), Why.ENCRYPTED) if text.startswith(_VAULT) else text
        elif link and not _PASSED_ON & set(name.split("/")[:-1]):
            yield name, Unread(str((path / name).readlink()), Why.LINK)
        elif not link and _is_code(name, code):
            yield name, Unread(_code(path / name, name), Why.CODE)
        elif not link and name.endswith(".json") and "/" in name:
            yield name, Unread("", Why.OTHER)


def _is_text(name: str) -> bool:
    file = PurePosixPath(name)
    if name.endswith(_ENDINGS) or file.name == CONFIGURATION:
        return True
    nearest = _nearest(file, _TASK_FOLDERS | _VARIABLE_FOLDERS | {_META} | _OTHER_FOLDERS)
    return file.suffix in _ALSO_YAML and nearest in _TASK_FOLDERS | _VARIABLE_FOLDERS | {_META}


def _is_code(name: str, configured: tuple[str, ...]) -> bool:
    """Whether Ansible may run the file itself: a module, a plugin, or what these import."""
    if name.endswith(_NO_CODE):
        return False
    if any(not folder or name.startswith(f"{folder}/") for folder in configured):
        return True
    folders = PurePosixPath(name).parts[:-1]
    plugins = next((folder for folder in folders if folder.endswith("_plugins")), None)
    return plugins is not None or _nearest(PurePosixPath(name), _OTHER_FOLDERS) in _CODE_FOLDERS


def _nearest(file: PurePosixPath, folders: frozenset[str]) -> str | None:
    return next((folder for folder in reversed(file.parts[:-1]) if folder in folders), None)


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _code(file: Path, name: str) -> str:
    return _digest(_content(file, name, _MOST_BYTES_OF_CODE))


def _text(file: Path, name: str) -> str:
    try:
        return _content(file, name, 4 * MOST_CHARACTERS).decode("utf-8")
    except UnicodeDecodeError as error:
        raise PackError(f"{shown(name)}: not UTF-8 at byte {error.start}") from None


def _content(file: Path, name: str, most: int) -> bytes:
    try:
        with file.open("rb") as stream:
            raw = stream.read(most + 1)
    except OSError as error:
        raise PackError(f"{shown(name)}: {error.strerror}") from None
    if len(raw) > most:
        raise PackError(f"{shown(name)}: more than {most} bytes")
    return raw
