"""The only place here that starts programs: argument lists, bounded errors, and no child left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import IO, Any

from steward_backup.errors import BackupError, StoppedError

LONGEST_ERROR = 2000  # characters
GRACE = 10.0  # seconds between TERM and KILL


@dataclass(frozen=True)
class Ended:
    """How a program ended: exit code, standard output, and the end of its standard error."""

    code: int
    out: bytes
    err: str


class Child:
    """A running program and where its standard error goes."""

    def __init__(self, running: subprocess.Popen[bytes], err: IO[bytes]) -> None:
        self.running = running
        self._err = err

    def told(self) -> str:
        """The end of what it wrote to standard error."""
        size = self._err.seek(0, os.SEEK_END)
        self._err.seek(max(0, size - LONGEST_ERROR))
        return self._err.read().decode("utf-8", "replace").strip()


def stop_on_signals() -> None:
    """Turn TERM, INT and HUP into an exception, so that every `finally` runs."""

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise StoppedError(f"stopped by {signal.Signals(number).name}")

    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, stop)


@contextmanager
def start(
    argv: list[str], *, env: dict[str, str], user: str | None = None, **streams: Any
) -> Iterator[Child]:
    """Start a program in its own group; it is gone when the block ends, however that happens.

    `setpriv` asks the kernel to end it also when this process is killed outright.
    """
    command = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", *argv]
    with tempfile.TemporaryFile() as err:
        running = subprocess.Popen(
            command,
            env={**env, "STEWARD_RUN": os.environ.get("STEWARD_RUN", "")},
            user=user,
            group=user,
            extra_groups=[] if user else None,
            cwd="/",
            stderr=err,
            start_new_session=True,
            **streams,
        )
        try:
            yield Child(running, err)
        finally:
            end_group(running)
            for stream in (running.stdin, running.stdout):
                if stream is not None and not stream.closed:
                    stream.close()


def end_group(running: subprocess.Popen[bytes]) -> None:
    """End a program and what it started: TERM, and KILL after the grace."""
    if running.poll() is not None:
        return
    os.killpg(running.pid, signal.SIGTERM)
    try:
        running.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def run(
    argv: list[str], *, env: dict[str, str], user: str | None = None, stdin: Any = None, stdout: Any = None
) -> Ended:
    """Run a program to its end and keep its output, or send it to an open file."""
    streams = {"stdin": stdin or subprocess.DEVNULL, "stdout": stdout or subprocess.PIPE}
    with start(argv, env=env, user=user, **streams) as child:
        out, _ = child.running.communicate()
        return Ended(child.running.returncode, out or b"", child.told())


def must(what: str, ended: Ended) -> Ended:
    """Give the result of a program that must succeed; otherwise say what failed and why."""
    if ended.code != 0:
        raise BackupError(f"{what}: exit code {ended.code}: {ended.err or 'it said nothing'}")
    return ended
