"""The ledger's SQLite file: a connection for each piece of work, none shared by threads or processes."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from orchestrator.errors import StewardError, ToolError

_LOG_INDEX_BYTES: Final = 32 << 10
_DURABLE: Final = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON")


class Database:
    """Waits `wait_seconds` for another process that writes; each writes for milliseconds.

    Raises ToolError when that was in vain, OSError where the disk is full, and else sqlite3.Error.
    """

    def __init__(self, path: Path, wait_seconds: float) -> None:
        self._path = path
        self._wait_seconds = wait_seconds

    def keep(self) -> None:
        """Let the log and its index stay while this object lives: a disk that is full has no room to make
        them anew, and the last words of a run would find no ledger.
        """
        kept = sqlite3.connect(self._path, self._wait_seconds, check_same_thread=False)
        kept.execute("SELECT count(*) FROM sqlite_master")  # which opens both
        weakref.finalize(self, kept.close)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that begins no transaction by itself."""
        try:
            with closing(sqlite3.connect(self._path, self._wait_seconds, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                for pragma in _DURABLE:
                    connection.execute(pragma)
                yield connection
        except sqlite3.OperationalError as problem:
            kind = problem.sqlite_errorcode & 0xFF  # what is above says more exactly why
            if kind == sqlite3.SQLITE_BUSY:
                raise self.held(ToolError) from problem
            if kind == sqlite3.SQLITE_FULL or (kind == sqlite3.SQLITE_IOERR and self._disk_is_full()):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path)) from problem
            raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, with no other writer in between: all of the block or, after an error, nothing."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                yield connection

    def _disk_is_full(self) -> bool:
        """SQLite tells of a failed input or output where there is no room for the index of its log."""
        return shutil.disk_usage(self._path.parent).free < _LOG_INDEX_BYTES

    def held(self, kind: type[StewardError]) -> StewardError:
        """Another process keeps the ledger, as one that was stopped in the middle of a write."""
        path = self._path
        return kind(
            "ledger", "another process holds it", place=str(path),
            got=f"still held after {self._wait_seconds:g} s",
            next_step=f"See which with: fuser -v {path} {path.with_suffix('.lock')}. "
            "End it, or wait for it, then run this again.",
        )  # fmt: skip
