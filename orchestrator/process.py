"""Starting other programs: the orchestrator's only importer of subprocess.

Every child gets a session of its own, so that a time limit, Ctrl-C or TERM ends it together with all that
it started.
"""

from __future__ import annotations

import os
import queue
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Literal, NoReturn

from orchestrator import command_lines
from orchestrator.errors import InputError, StoppedError, ToolError
from orchestrator.redaction import redacted

Stream = Literal["stdout", "stderr"]

GRACE_SECONDS = 3.0
"""How long a child may tidy up between TERM and KILL."""
DRAIN_SECONDS = 2.0
"""How long to wait for the end of output after the child ended: a daemon it left behind may hold the pipe
for ever.
"""
OUTPUT_LIMIT_BYTES = 256 << 20
_TAIL_LINES = 20

_live: set[Child] = set()
_live_lock = threading.Lock()


@dataclass(frozen=True)
class CommandResult:
    """What a finished command left; stdout and stderr stay out of repr because they may hold secrets."""

    argv: tuple[str, ...] = field(repr=False)
    returncode: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)
    duration_seconds: float


class Child:
    """A running program with its output as a stream of pieces; `end` takes its whole process group down."""

    def __init__(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None, cwd: Path | str | None, feeds: bool
    ) -> None:
        self._popen = _popen(argv, env=env, cwd=cwd, feeds=feeds)
        self._pieces: queue.SimpleQueue[tuple[Stream, bytes]] = queue.SimpleQueue()
        self._open: set[Stream] = {"stdout", "stderr"}
        with _live_lock:
            _live.add(self)
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        self._pump("stdout", self._popen.stdout)
        self._pump("stderr", self._popen.stderr)

    @property
    def pid(self) -> int:
        """Process id, which is also the id of the child's process group."""
        return self._popen.pid

    def feed(self, stdin: bytes) -> None:
        """Write all of `stdin` from a thread of its own, then close it; a child that does not read it is no
        error.
        """
        pipe = self._popen.stdin
        assert pipe is not None

        def write() -> None:
            with suppress(BrokenPipeError), pipe:
                pipe.write(stdin)

        threading.Thread(target=write, daemon=True).start()

    def pieces(self, deadline: float | None = None) -> Iterator[tuple[Stream, bytes]]:
        """Yield output as it comes until both streams ended; TimeoutError after `deadline` (monotonic
        seconds).
        """
        ended_at: float | None = None
        while self._open:
            if ended_at is None and self._popen.poll() is not None:
                ended_at = time.monotonic()
            now = time.monotonic()
            if ended_at is not None and now > ended_at + DRAIN_SECONDS:
                return
            if deadline is not None and now > deadline:
                raise TimeoutError
            with suppress(queue.Empty):
                stream, piece = self._pieces.get(timeout=0.1)
                if piece:
                    yield stream, piece
                else:
                    self._open.discard(stream)

    def wait(self, deadline: float | None = None) -> int:
        """Exit code, negative for a signal; TimeoutError after `deadline` (monotonic seconds)."""
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            code = self._popen.wait(left)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error
        with _live_lock:
            _live.discard(self)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; one that is gone already is no error."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def end(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """TERM the group, then KILL whatever of it is left."""
        self.signal(signal.SIGTERM)
        with suppress(TimeoutError):
            self.wait(time.monotonic() + grace_seconds)
        self.signal(signal.SIGKILL)
        with suppress(TimeoutError):
            self.wait(time.monotonic() + 1.0)

    def _pump(self, stream: Stream, pipe: IO[bytes]) -> None:
        def read() -> None:
            with pipe:
                while piece := os.read(pipe.fileno(), 65536):
                    self._pieces.put((stream, piece))
            self._pieces.put((stream, b""))

        threading.Thread(target=read, daemon=True).start()


def start(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | str | None = None
) -> Child:
    """Start a program whose output the caller streams; it must be waited for or ended."""
    command_lines.tell(argv)
    return Child(argv, env=env, cwd=cwd, feeds=False)


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    stdin: bytes | str | None = None,
    redact: Collection[str] = (),
    check: bool = True,
    on_line: Callable[[str], None] | None = None,
) -> CommandResult:
    """Run a program to its end and return what it said; `timeout` in seconds covers everything it started.

    `on_line` gets each line of both streams, without secrets, as it comes. Raises InputError when the
    program is not installed, ToolError when it takes too long or (with `check`) fails; neither text holds a
    known secret or a string of `redact`.
    """
    command_lines.tell(argv, redact)
    began = time.monotonic()
    child = Child(argv, env=env, cwd=cwd, feeds=stdin is not None)
    collected = _Output(on_line, redact)
    try:
        if stdin is not None:
            child.feed(stdin.encode() if isinstance(stdin, str) else stdin)
        for stream, piece in child.pieces(began + timeout):
            collected.add(stream, piece)
        code = child.wait(began + timeout)
    except TimeoutError:
        child.end()
        raise _failure(argv, f"took longer than {timeout:g} s and was ended", collected, redact) from None
    except BaseException:
        child.end()
        raise
    collected.finish()
    if check and code != 0:
        raise _failure(argv, _ending(code), collected, redact)
    return CommandResult(
        tuple(argv), code, collected.text("stdout"), collected.text("stderr"), time.monotonic() - began
    )


def end_children(grace_seconds: float = GRACE_SECONDS) -> None:
    """End every child that still runs, all at once; for a process that is about to exit."""
    with _live_lock:
        children = tuple(_live)
    for child in children:
        child.signal(signal.SIGTERM)
    for child in children:
        child.end(grace_seconds)


def stop_on_signals() -> None:
    """Make Ctrl-C and TERM end all children and raise StoppedError in the main thread; the CLI calls it
    once.
    """

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        # A second signal must not interrupt the tidying up of the first.
        signal.signal(number, signal.SIG_IGN)
        with _live_lock:
            children = tuple(_live)
        for child in children:
            child.signal(signal.SIGTERM)
        raise StoppedError(
            "steward", f"stopped by {signal.Signals(number).name}; what it had started was ended"
        )

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


class _Output:
    """Both streams, kept whole and handed on line by line."""

    def __init__(self, on_line: Callable[[str], None] | None, redact: Collection[str]) -> None:
        self._parts: dict[Stream, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._begun: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self._on_line = on_line
        self._redact = redact

    def add(self, stream: Stream, piece: bytes) -> None:
        self._parts[stream] += piece
        if len(self._parts[stream]) > OUTPUT_LIMIT_BYTES:
            raise ToolError("process", f"more than {OUTPUT_LIMIT_BYTES >> 20} MiB of output", place=stream)
        if self._on_line is not None:
            *lines, self._begun[stream] = (self._begun[stream] + piece).split(b"\n")
            for line in lines:
                self._say(line)

    def finish(self) -> None:
        for stream in ("stdout", "stderr"):
            if self._begun[stream]:
                self._say(self._begun[stream])

    def text(self, stream: Stream) -> str:
        return self._parts[stream].decode(errors="replace")

    def _say(self, line: bytes) -> None:
        if self._on_line is not None:
            self._on_line(redacted(line.decode(errors="replace").rstrip("\r"), self._redact))


def _popen(
    argv: Sequence[str], *, env: Mapping[str, str] | None, cwd: Path | str | None, feeds: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        if cwd is not None and not Path(cwd).is_dir():
            raise InputError(
                argv[0], "cannot start in a folder that does not exist", place=str(cwd)
            ) from error
        path = (os.environ if env is None else env).get("PATH", os.defpath)
        if shutil.which(argv[0], path=path) is None:
            message = "is not installed, or not on PATH"
        else:
            message = f"cannot be started: {error.strerror}"
        raise InputError(
            argv[0], message, next_step="Run `steward doctor`: it says what is missing and how to get it."
        ) from error


def _ending(code: int) -> str:
    if code >= 0:
        return f"failed with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"


def _failure(argv: Sequence[str], message: str, output: _Output, redact: Collection[str]) -> ToolError:
    said = (output.text("stderr").strip() or output.text("stdout").strip()).splitlines()[-_TAIL_LINES:]
    command = redacted(shlex.join(argv), redact)
    shown = command if len(command) <= 300 else command[:300] + "..."
    return ToolError(
        argv[0].rsplit("/", 1)[-1], message, place=shown, got=redacted("\n".join(said), redact) or "no output"
    )
