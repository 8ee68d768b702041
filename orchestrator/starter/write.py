"""Writes a user's own repository, and brings it to a newer Steward; what its owner changed stays."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from orchestrator.errors import InputError
from orchestrator.starter.templates import StarterFile, digest_of

RECORD: Final = ".steward/init.json"
_SCHEMA: Final = "steward.init/1"


class Done(StrEnum):
    """What became of one file."""

    WRITTEN = "written"
    UPDATED = "updated"
    SAME = "same"
    KEPT = "kept"
    """It was edited here, and what this version would write was told or written before."""
    DIFFERS = "differs"
    """It was edited here, and changed in this version too: a person puts both together."""
    REMOVED = "removed"
    """It was removed here."""


@dataclass(frozen=True)
class FileDone:
    """One file, and how it differs from what this version would write, where a person must look."""

    path: str
    done: Done
    difference: str = ""


@dataclass(frozen=True)
class Record:
    """What was written, by which version, as `.steward/init.json` keeps it; digests are SHA-256 by path."""

    version: str
    client: str
    files: Mapping[str, str]


def write_new(folder: Path, files: Sequence[StarterFile], version: str, client: str) -> list[FileDone]:
    """A new repository; raises InputError when another file is in the way of one, before any is written."""
    in_the_way = [each.path for each in files if _text(folder / each.path) not in (None, each.text)]
    if (folder / RECORD).exists() or in_the_way:
        raise InputError(
            str(folder), "is a repository already", got=", ".join(in_the_way[:5]) or RECORD,
            next_step="Choose another folder, or bring this one to this version: steward init --upgrade DIR",
        )  # fmt: skip
    for each in files:
        _write(folder / each.path, each.text)
    _keep(folder, Record(version, client, {each.path: each.digest for each in files}))
    return [FileDone(each.path, Done.WRITTEN) for each in files]


def upgrade(folder: Path, files: Sequence[StarterFile], version: str, record: Record) -> list[FileDone]:
    """Bring the files that follow Steward to this version; a file that its owner edited stays as it is."""
    done = [_upgraded(folder, each, record.files.get(each.path)) for each in files if each.follows]
    known = dict(record.files)
    for each, was in zip((each for each in files if each.follows), done, strict=True):
        if (
            was.done is not Done.REMOVED
        ):  # a difference that was told once is the owner's decision from then on
            known[each.path] = each.digest
    _keep(folder, Record(version, record.client, known))
    return done


def _upgraded(folder: Path, new: StarterFile, recorded: str | None) -> FileDone:
    path = folder / new.path
    found = _text(path)
    if found is None:
        if recorded is not None:
            return FileDone(new.path, Done.REMOVED)
        _write(path, new.text)
        return FileDone(new.path, Done.WRITTEN)
    if found == new.text:
        return FileDone(new.path, Done.SAME)
    if digest_of(found) == recorded:
        _write(path, new.text)
        return FileDone(new.path, Done.UPDATED)
    if recorded == new.digest:
        return FileDone(new.path, Done.KEPT)
    return FileDone(new.path, Done.DIFFERS, _difference(new.path, found, new.text))


def read_record(folder: Path) -> Record:
    """What `init` kept; raises InputError where it is missing or not as it was written."""
    try:
        raw: Any = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        files = {str(path): str(digest) for path, digest in raw["files"].items()}
        return Record({_SCHEMA: str(raw["version"])}[raw["schema"]], str(raw["client"]), files)
    except FileNotFoundError as problem:
        raise InputError(
            str(folder), "was not made by steward init", place=RECORD, got="no such file",
            next_step="Make a new repository beside it (steward init DIR) and copy what you need.",
        ) from problem  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise InputError(
            str(folder), "its record cannot be read", place=RECORD, got=str(problem),
            next_step="Restore the file from version control.",
        ) from problem  # fmt: skip


def _keep(folder: Path, record: Record) -> None:
    content = {"schema": _SCHEMA, "version": record.version, "client": record.client, "files": record.files}
    _write(folder / RECORD, json.dumps(content, indent=2, sort_keys=True) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as problem:
        raise InputError(
            str(path),
            f"cannot be written: {problem.strerror}",
            next_step="Choose a folder that you may write to.",
        ) from problem


def _text(path: Path) -> str | None:
    """The text of a file, None where there is none; what is no text is shown as what it is not."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise InputError(str(path), f"cannot be read: {problem.strerror}") from problem


def _difference(path: str, found: str, new: str) -> str:
    lines = difflib.unified_diff(
        found.splitlines(), new.splitlines(), f"{path} (yours)", f"{path} (this version)", lineterm=""
    )
    return "\n".join(lines)
