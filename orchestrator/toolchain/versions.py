"""Asking programs for their version."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from orchestrator.errors import StewardError
from orchestrator.process import run

Version = tuple[int, ...]
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_TIMEOUT_SECONDS = 20.0


def parse_version(text: str) -> Version | None:
    """First dotted number in a text, or None."""
    found = _VERSION.search(text)
    return tuple(int(part) for part in found.groups() if part is not None) if found else None


def program_version(program: Path | str, *arguments: str) -> Version | None:
    """Version that a program prints, or None where it cannot be run or prints none."""
    try:
        result = run([str(program), *(arguments or ("version",))], timeout=_TIMEOUT_SECONDS)
    except StewardError:
        return None
    return parse_version(result.stdout + result.stderr)


def show(version: Version | None) -> str:
    """The version as people write it, or an empty text."""
    return ".".join(map(str, version or ()))


def on_path(name: str, lowest: Version, *arguments: str, outside: Path | None = None) -> Path | None:
    """The program of this name on PATH, if it is at least this version; folders under `outside` are passed
    over.
    """
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if outside is not None:
        folders = [folder for folder in folders if not Path(folder).is_relative_to(outside)]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        return None
    version = program_version(found, *arguments)
    return Path(found).resolve() if version is not None and version >= lowest else None
