"""A running process of own rules, from the side of its judge: lines out and in, each within a time."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from policies.apart.program import ANSWER_BYTES

_ROOT: Final = str(Path(__file__).resolve().parents[2])
_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from policies.apart.program import main; main()"
)
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ")
"""Of the judge's environment, which holds passphrases, a rule sees these."""
_LOOK_SECONDS: Final = 0.1
"""How often to look whether it ended: what a rule forked may keep the pipe open."""
_GONE_SECONDS: Final = 0.2
"""A process that ends closes its pipes a moment before it is gone."""
ALL_BYTES: Final = 64 * 1024**2
"""Of all answers to one request."""


class EndedError(Exception):
    """The process ended, or wrote what is no answer."""


class RulesProcess:
    """Leader of a session of its own, so that `end` takes whatever its rules started down with it.

    Without `site`: its start takes a third less, and the judge tells it where to find modules. Raises
    EndedError where it cannot be started.
    """

    def __init__(self) -> None:
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, _ROOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                start_new_session=True,
            )
        except OSError as error:
            raise EndedError(f"its process cannot be started: {error}") from error
        self._pipes = [pipe for pipe in (self._popen.stdin, self._popen.stdout) if pipe is not None]
        self._into, self._out_of = (pipe.fileno() for pipe in self._pipes)
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
        self._owner = os.getpid()
        self._read = b""

    def write(self, line: bytes, deadline: float) -> None:
        """One line; raises EndedError, or TimeoutError after `deadline` (monotonic seconds)."""
        left = memoryview(line + b"\n")
        while left:
            self._wait(self._into, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._into, left) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise EndedError(self._ending()) from error

    def lines(self, deadline: float) -> Iterator[bytes]:
        """Each line that it writes, within the bounds; raises EndedError or TimeoutError."""
        total = 0
        while True:
            line, found, rest = self._read.partition(b"\n")
            if found:
                self._read = rest
                yield line
                continue
            self._wait(self._out_of, select.POLLIN, deadline)
            piece = self._piece()
            total += len(piece)
            self._read += piece
            if len(self._read) > 2 * ANSWER_BYTES or total > ALL_BYTES:
                raise EndedError(f"its answers are longer than {ALL_BYTES >> 20} MiB")

    def is_silent(self) -> bool:
        """Whether it has written nothing that nobody asked for."""
        ready = select.poll()
        ready.register(self._out_of, select.POLLIN)
        return not self._read and not ready.poll(0)

    def end(self) -> None:
        """End it and all of its group; a second time is no error."""
        if self._popen.returncode is not None or self._owner != os.getpid():
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(
                self._popen.pid, signal.SIGKILL
            )  # before it is waited for: its id is its own until then
        self._popen.wait()
        for pipe in self._pipes:
            pipe.close()

    def _piece(self) -> bytes:
        try:
            piece = os.read(self._out_of, 1 << 20)
        except BlockingIOError:
            return b""
        if not piece:
            raise EndedError(self._ending())
        return piece

    def _wait(self, pipe: int, event: int, deadline: float) -> None:
        """Until the pipe is ready."""
        ready = select.poll()
        ready.register(pipe, event)
        while True:
            ended = self._ended() is not None
            left = deadline - time.monotonic()
            if ready.poll(0 if ended else max(0, 1000 * min(left, _LOOK_SECONDS))):
                return
            if ended:
                raise EndedError(self._ending())
            if left <= 0:
                raise TimeoutError

    def _ended(self) -> os.waitid_result | None:
        """How it ended, if it did; it is not waited for, so that its id stays its own."""
        return os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)

    def _ending(self) -> str:
        until = time.monotonic() + _GONE_SECONDS
        while (ended := self._ended()) is None and time.monotonic() < until:
            time.sleep(0.002)
        if ended is None:
            return "its process closed what it should have answered by"
        if ended.si_code == os.CLD_EXITED:
            return f"its process ended with exit code {ended.si_status}"
        return f"its process was ended by signal {ended.si_status} ({signal.strsignal(ended.si_status)})"
