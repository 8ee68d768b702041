"""Finished parts on disk: each in a folder of its own with a manifest, put there by one rename.

A set-up that is killed leaves only temporary folders, which the next one removes; whatever has its final
name is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.errors import ToolError

MANIFEST: Final = "manifest.json"
_SCHEMA: Final = "steward.part/1"
_TEMPORARY: Final = ".new-"


@dataclass(frozen=True)
class Manifest:
    """What a folder must hold: where it came from, and the SHA-256 of each file."""

    name: str
    digest: str
    source: str
    files: dict[str, str]

    def to_json(self) -> str:
        """The manifest as it lies in the folder."""
        return json.dumps({"schema": _SCHEMA} | self.__dict__, indent=1, sort_keys=True) + "\n"


def read_manifest(folder: Path) -> Manifest | None:
    """The folder's manifest, or None where there is no folder or no readable manifest."""
    try:
        stored = json.loads((folder / MANIFEST).read_text())
        if stored.pop("schema") != _SCHEMA:
            return None
        return Manifest(**stored)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def hash_file(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tampered(folder: Path, *, content: bool) -> list[str]:
    """Files that are missing or, with `content`, differ from the manifest; "manifest.json" alone where that
    is gone.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return [MANIFEST]
    wrong = [name for name in manifest.files if not (folder / name).is_file()]
    if content:
        wrong += [
            name
            for name, digest in manifest.files.items()
            if name not in wrong and hash_file(folder / name) != digest
        ]
    return sorted(wrong)


def touched(folder: Path) -> bool:
    """Whether a file was written after its manifest: a cheap sign of change, to be followed by `tampered`."""
    manifest = read_manifest(folder)
    if manifest is None:
        return True
    written = (folder / MANIFEST).stat().st_mtime_ns
    return any((folder / name).stat().st_mtime_ns > written for name in manifest.files)


def publish(folder: Path, *, name: str, digest: str, fill: Callable[[Path], str]) -> Manifest:
    """Fill a new folder and give it its final name in one step; `fill` returns the source it took the files
    from.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = folder.parent / f"{_TEMPORARY}{folder.name}-{uuid.uuid4().hex[:8]}"
    new.mkdir()
    try:
        source = fill(new)
        files = {
            str(path.relative_to(new)): hash_file(path) for path in sorted(new.rglob("*")) if path.is_file()
        }
        manifest = Manifest(name=name, digest=digest, source=source, files=files)
        (new / MANIFEST).write_text(manifest.to_json())
        # A crash of the machine must not leave a whole-looking folder with empty files.
        os.sync()
        _swap(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return manifest


def _swap(new: Path, folder: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        return
    old = folder.parent / f"{_TEMPORARY}old-{folder.name}-{uuid.uuid4().hex[:8]}"
    folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(parent: Path) -> None:
    """Delete what killed set-ups left; only under the set-up lock."""
    for path in parent.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(path, ignore_errors=True)


def link_tree(source: Path, target: Path) -> None:
    """Make `target` the same files as `source` without a second copy, where the file system allows it."""

    def link(from_path: str, to_path: str) -> str:
        try:
            os.link(from_path, to_path)
        except OSError:
            shutil.copy2(from_path, to_path)
        return to_path

    if not source.is_dir():
        raise ToolError("toolchain", "a part is missing", place=str(source), next_step="Run `steward setup`.")
    shutil.copytree(
        source, target, copy_function=link, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST)
    )
