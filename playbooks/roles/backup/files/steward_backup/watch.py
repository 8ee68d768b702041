"""Time limits of restic: as a whole, and for how long it may go without progress."""

from __future__ import annotations

import subprocess
import threading
import time
from types import TracebackType
from typing import Self

from steward_backup.errors import BackupError
from steward_backup.process import end_group

LOOKS = 1.0  # seconds between two looks at the clock


class Watch:
    """Ends a program that is late while the block runs; leaving the block says so by BackupError.

    `limit` bounds it as a whole; `quiet`, where one is given, the time since `moved` was last called. Both
    are seconds.
    """

    def __init__(
        self, what: str, running: subprocess.Popen[bytes], limit: float, quiet: float | None = None
    ) -> None:
        self._what, self._running, self._limit, self._quiet = what, running, limit, quiet
        self._began = self._moved = time.monotonic()
        self._over = threading.Event()
        self._late = ""
        self._thread = threading.Thread(target=self._look, daemon=True)

    def moved(self) -> None:
        """It made progress."""
        self._moved = time.monotonic()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if kind is None or issubclass(kind, Exception):
            self._thread.join()
            if self._late:
                raise BackupError(
                    f"{self._what}: {self._late}, so it was ended; run the backup again"
                ) from problem

    def _look(self) -> None:
        while not self._over.wait(LOOKS):
            now = time.monotonic()
            if self._quiet is not None and now - self._moved > self._quiet:
                self._late = f"it made no progress for {self._quiet:.0f} s"
            elif now - self._began > self._limit:
                self._late = f"it did not end within {self._limit:.0f} s"
            if self._late:
                end_group(self._running)
                return
