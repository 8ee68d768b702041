"""The file of a chain: appended to durably, read line by line, its torn end found and cut."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.errors import ToolError
from orchestrator.evidence.folder import sync_folder
from orchestrator.evidence.record import LONGEST_LINE, BadLineError, Kind, Line, read_line
from orchestrator.private_file import write_private

_KEY_RECORD: Final = b'"kind":"key_'
_PIECE: Final = 64 << 10


@dataclass(frozen=True)
class Tail:
    """The end of a chain: its last whole record, and what a killed writer left after it."""

    last: Line | None
    whole_bytes: int
    torn: bytes


@dataclass(frozen=True)
class Cut:
    """What was cut off: how many bytes, and their digest."""

    bytes: int
    sha256: str


class ChainFile:
    """One chain on disk; who may append is the fence's business."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def tail(self) -> Tail:
        """The end, read from the end; raises ToolError where the last whole line is no record."""
        if not self.path.exists():
            return Tail(None, 0, b"")
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            rest, at = b"", size
            while at > 0 and rest.count(b"\n") < 2 and len(rest) <= 2 * LONGEST_LINE:
                step = min(_PIECE, at)
                at = file.seek(at - step)
                rest = file.read(step) + rest
        whole, newline, torn = rest.rpartition(b"\n")
        if not newline and at > 0:  # no writer tears off that much, and what is before it is not lost
            raise self._damaged(f"no line ends in its last {len(rest) >> 20} MiB")
        if not newline:
            return Tail(None, 0, torn)
        return Tail(self._last(whole.rpartition(b"\n")[2]), size - len(torn), torn)

    def append(self, line: bytes) -> None:
        """Add one line; when this returns it outlives a loss of power."""
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            left = memoryview(line)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            sync_folder(self.path.parent)

    def cut_torn_end(self) -> Cut | None:
        """Remove what a killed writer left after the last whole line; None when there is nothing.

        What is cut lies in a file of its own until `forget_cut`, so that a second kill loses no word of it.
        """
        tail = self.tail()
        if tail.torn:
            write_private(self._torn, tail.torn)
            sync_folder(self.path.parent)
            with self.path.open("r+b") as file:
                file.truncate(tail.whole_bytes)
                os.fsync(file.fileno())
        if not self._torn.exists():
            return None
        torn = self._torn.read_bytes()
        return Cut(len(torn), hashlib.sha256(torn).hexdigest())

    def forget_cut(self) -> None:
        """A record tells of it now."""
        self._torn.unlink(missing_ok=True)

    @property
    def _torn(self) -> Path:
        return self.path.with_name("torn")

    def raw_lines(self) -> Iterator[bytes]:
        """Every whole line without its newline; one that is far too long is cut, and so no record."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            while line := file.readline(LONGEST_LINE + 2):
                if line.endswith(b"\n"):
                    yield line[:-1]
                elif len(line) > LONGEST_LINE:
                    yield line

    def lines(self) -> Iterator[Line]:
        """Every record, unjudged; raises ToolError at the first line that is none."""
        for at, raw in enumerate(self.raw_lines()):
            try:
                yield read_line(raw)
            except BadLineError as problem:
                raise self._damaged(f"line {at + 1}: {problem}") from problem

    def key_lines(self) -> Iterator[Line]:
        """The records that may tell of signing keys, without reading the others closely."""
        for raw in self.raw_lines():
            if _KEY_RECORD in raw:
                try:
                    line = read_line(raw)
                except BadLineError as problem:
                    raise self._damaged(str(problem)) from problem
                if line.kind in (Kind.KEY_CREATED, Kind.KEY_ROTATED):
                    yield line

    def _last(self, raw: bytes) -> Line:
        try:
            return read_line(raw)
        except BadLineError as problem:
            raise self._damaged(f"its last line: {problem}") from problem

    def _damaged(self, got: str) -> ToolError:
        return ToolError(
            "evidence", "the chain is damaged, so nothing is added to it", place=str(self.path), got=got,
            next_step="See what it is: steward evidence verify. Bring back a copy of STEWARD_HOME/evidence.",
        )  # fmt: skip
