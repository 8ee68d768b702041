"""One writer a stack: a lock that dies with its holder, and says who that is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from orchestrator.errors import InputError


@contextmanager
def stack_lock(home: Path, stack: str, verb: str) -> Iterator[None]:
    """Hold the stack for the block; raises InputError that names the holder when somebody else has it."""
    folder = home / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    holder = folder / f"{stack}.holder"
    lock = FileLock(folder / f"{stack}.lock", timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout as problem:
        raise InputError(
            stack, "another steward works on this stack", got=_told(holder),
            next_step="Wait until it ends, or stop it with Ctrl-C where it runs.",
        ) from problem  # fmt: skip
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holder.write_text(json.dumps({"pid": os.getpid(), "verb": verb, "since": since}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _told(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text())
        return f"steward {who['verb']}, process {who['pid']}, since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has not said yet who it is"
