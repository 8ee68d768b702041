"""A lock between processes: a file that the kernel keeps for one of them, until it gives it back or dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_POLL_SECONDS: Final = 0.05


class HeldError(Exception):
    """Somebody else has the lock, and kept it for as long as we were ready to wait."""


@contextmanager
def file_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock for the block; raises HeldError, and OSError where the file (0600) cannot be made.

    The file stays: were it removed, one who waits for it and one who makes it anew would both have a lock.
    Not to be taken again inside of the block.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, path, time.monotonic() + wait_seconds)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # also of a child that was forked and not replaced yet
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            if time.monotonic() >= deadline:
                raise HeldError(str(path)) from problem
        time.sleep(_POLL_SECONDS)
