"""Limits on rules: one that loops for ever or takes all memory becomes an error under its own name."""

from __future__ import annotations

import ctypes
import faulthandler
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from policies.checks import RuleTimeoutError

RULE_SECONDS: Final = 10.0
"""For one rule over all subjects of an assessment; ten thousand of them take a fraction of a second."""
MEMORY_BYTES: Final = 2 * 1024**3
"""Beyond what the process has when it begins to judge."""
APART_SECONDS: Final = 30.0
"""For all rules of one assessment that run in processes of their own; the others still speak then."""
ALL_SECONDS: Final = 60.0
"""For one assessment; where one call into C keeps the interpreter for longer, the process is ended."""


@dataclass
class _Turn:
    rule: str
    deadline: float
    told: bool = False


class Watch:
    """Interrupts threads that judge by one rule for too long; one for the whole process."""

    def __init__(self, seconds: float = RULE_SECONDS) -> None:
        self.seconds = seconds
        self._turns: dict[int, _Turn] = {}
        self._assessments = 0
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None

    @contextmanager
    def assessment(self, seconds: float = ALL_SECONDS) -> Iterator[None]:
        """Ends the process with the place of each thread on standard error when the time is up.

        Nothing was judged to the end then: there is no report and no green exit code.
        """
        with self._lock:
            self._assessments += 1
        faulthandler.dump_traceback_later(seconds, exit=True)
        try:
            yield
        finally:
            with self._lock:
                self._assessments -= 1
                if not self._assessments:
                    faulthandler.cancel_dump_traceback_later()

    @contextmanager
    def rule(self, rule: str) -> Iterator[None]:
        """Raises RuleTimeoutError inside when the time is up."""
        thread = threading.get_ident()
        turn = _Turn(rule, time.monotonic() + self.seconds)
        with self._lock:
            self._turns[thread] = turn
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="rule watch", daemon=True)
                self._watcher.start()
        try:
            yield
        finally:
            with self._lock:
                self._turns.pop(thread, None)
            if turn.told:
                _absorb()

    def threads(self) -> int:
        """How many threads this is, of those that run."""
        return int(self._watcher is not None and self._watcher.is_alive())

    def begin_anew(self) -> None:
        """In a forked copy of the process, where no thread but the one that forked goes on."""
        self._turns, self._assessments = {}, 0
        self._lock, self._watcher = threading.Lock(), None

    def _watch(self) -> None:
        while True:
            time.sleep(self.seconds / 20)
            now = time.monotonic()
            with self._lock:
                for thread, turn in self._turns.items():
                    if now > turn.deadline and not turn.told:
                        turn.told = True
                        _interrupt(thread, RuleTimeoutError)


WATCH: Final = Watch()


@contextmanager
def memory_limit(more_bytes: int = MEMORY_BYTES) -> Iterator[None]:
    """Let the process grow by so much and no more; beyond it Python raises MemoryError where it happens."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    wanted = [pages * resource.getpagesize() + more_bytes, soft, hard]
    limit = min(each for each in wanted if each != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _interrupt(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _absorb() -> None:
    """Let what was set a moment ago be raised here and not in somebody else's code.

    Taking it back (a null exception) would leave CPython's flag for pending work set for good: slower from
    then on, and endless under a profiler.
    """
    with suppress(RuleTimeoutError):
        for _ in range(1_000):  # it is raised where a loop jumps back
            pass
