"""The files of a folder of playbooks, and what each of them is by its place and content."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final

from policies.facts import shown
from policies.model import PackError
from policies.subjects._lined_yaml import MOST_CHARACTERS

MOST_FILES: Final = 2_000
MOST_CHARACTERS_OF_ALL: Final = 32 * MOST_CHARACTERS
CONFIGURATION: Final = "ansible.cfg"
_ENDINGS: Final = (".yml", ".yaml")
_TASK_FOLDERS: Final = frozenset({"tasks", "handlers"})
_VARIABLE_FOLDERS: Final = frozenset({"vars", "defaults", "group_vars", "host_vars"})
_OTHER_FOLDERS: Final = frozenset({"files", "templates", "library", "molecule", "collections"})


class Content(StrEnum):
    """What a file of a playbook folder holds."""

    PLAYS = "plays"
    TASKS = "tasks"
    VARIABLES = "variables"
    ROLE_META = "role_meta"
    OTHER = "other"


def read_folder(path: Path) -> Mapping[str, str]:
    """The YAML files below a folder and its ansible.cfg, by their paths in it; raises PackError.

    Links are not followed: one that leads out of the folder would bring in what nobody asked to judge.
    """
    if not path.is_dir():
        raise PackError(f"{shown(str(path))}: expected a folder with playbooks, got no folder")
    texts: dict[str, str] = {}
    total = 0
    for file in _files(path):
        name = file.relative_to(path).as_posix()
        if len(texts) >= MOST_FILES:
            raise PackError(f"{shown(str(path))}: more than {MOST_FILES} files; judge a smaller folder")
        texts[name] = _text(file, name)
        total += len(texts[name])
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
        if folder == "meta":
            return Content.ROLE_META
        if folder in _OTHER_FOLDERS:
            return Content.OTHER
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        plays = any("hosts" in entry or _imports_playbook(entry) for entry in value)
        return Content.PLAYS if plays else Content.TASKS
    return Content.VARIABLES if isinstance(value, dict) else Content.OTHER


def _imports_playbook(entry: Mapping[str, object]) -> bool:
    return any(key.rpartition(".")[2] == "import_playbook" for key in entry)


def _files(path: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(path):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            wanted = name.endswith(_ENDINGS) or name == CONFIGURATION
            if wanted and not name.startswith(".") and not (Path(folder) / name).is_symlink():
                yield Path(folder) / name


def _text(file: Path, name: str) -> str:
    try:
        with file.open("rb") as stream:
            raw = stream.read(4 * MOST_CHARACTERS + 1)
        if len(raw) > 4 * MOST_CHARACTERS:
            raise PackError(f"{shown(name)}: more than {4 * MOST_CHARACTERS} bytes")
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PackError(f"{shown(name)}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise PackError(f"{shown(name)}: {error.strerror}") from None
