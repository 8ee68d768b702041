"""Running out of disk on the control machine: said in plain words, and still written to the end.

A few MiB in STEWARD_HOME are set aside while there is plenty, and given back when the last words of a run
(its report, its end in the ledger) find no room.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from orchestrator.errors import InputError, ToolError

LEAST_BYTES = 32 << 20
"""Less than this free, and a run is refused before it touches anything: Pulumi keeps a history of states."""
_RESERVE_BYTES = 4 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)

Answer = TypeVar("Answer")


def require_room(home: Path) -> None:
    """Refuse a run for which the disk of STEWARD_HOME is too full; raises InputError."""
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < LEAST_BYTES:
        raise InputError(
            "STEWARD_HOME", "its disk is too full for a run", place=str(home), got=f"{free >> 20} MiB free",
            rule=f"at least {LEAST_BYTES >> 20} MiB", next_step="Free space there, then run this again.",
        )  # fmt: skip


def set_aside(home: Path) -> None:
    """Keep the reserve for the last words of a run; without room for it there is none."""
    path = home / "reserve"
    if path.exists() and path.stat().st_size == _RESERVE_BYTES:
        return
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, _RESERVE_BYTES)
        path.chmod(0o600)
    except OSError:
        path.unlink(missing_ok=True)


def with_reserve(home: Path, act: Callable[[], Answer]) -> Answer:
    """Do it; when there is no room, give the reserve back and do it again."""
    try:
        return act()
    except OSError as problem:
        if not is_full(problem) or not (home / "reserve").exists():
            raise
        (home / "reserve").unlink(missing_ok=True)
        return act()


def is_full(problem: OSError) -> bool:
    """Whether a full disk of this machine is behind an error; the ledger raises such ones as OSError too."""
    return problem.errno in _FULL


def full(problem: OSError) -> ToolError:
    """The error a person should see."""
    return ToolError(
        "this machine", "its disk is full, so not everything could be written",
        place=str(problem.filename or "STEWARD_HOME"),
        next_step="Free space there, then run this again: it goes on where it ended.",
    )  # fmt: skip
