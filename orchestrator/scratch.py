"""Folders for what a run needs only while it lives, found and removed after it when it was killed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.processes import boot_id, start_ticks

_PREFIX = "steward-"
_OWNER = ".owner"


def scratch_folder(kind: str) -> Path:
    """A new private folder with a short path, for a socket's has 108 bytes at most; the caller removes it."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-"))
    owner = {"pid": os.getpid(), "boot_id": boot_id(), "start_ticks": start_ticks(os.getpid())}
    (folder / _OWNER).write_text(json.dumps(owner))
    return folder


@contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """A scratch folder for the block."""
    folder = scratch_folder(kind)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> list[Path]:
    """Remove what killed processes of this user left; what a living one has stays."""
    gone = []
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if _ours(folder) and _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder)
    return gone


def _ours(folder: Path) -> bool:
    try:
        seen = folder.lstat()
    except OSError:
        return False
    return seen.st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink()


def _abandoned(folder: Path) -> bool:
    """True only with proof: another boot, or no process of that number and start time any more."""
    try:
        owner = json.loads((folder / _OWNER).read_text()[:1_000])
        pid, ticks, boot = int(owner["pid"]), int(owner["start_ticks"]), str(owner["boot_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return boot != boot_id() or start_ticks(pid) != ticks
