"""One writer a chain: a lease with a number that only grows, so that a writer who slept too long is refused.

The lock is held for the moments of one append. Between appends a writer has a lease; whoever finds it run
out, or its holder dead, takes the next number, and the old one is good for nothing any more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import ToolError
from orchestrator.file_lock import HeldError, file_lock
from orchestrator.private_file import write_private
from orchestrator.processes import boot_id, start_ticks

LEASE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05


class StaleWriterError(ToolError):
    """This writer's lease ran out and another one writes now; nothing of it was written."""


class Lease(BaseModel):
    """Who may write. `head_number` and `head_sha256` are of the last record that was surely written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: int = Field(default=0, ge=0)
    pid: int = 0
    """0: nobody."""
    boot_id: str = Field(default="", max_length=40)
    start_ticks: int = 0
    until_ms: int = 0
    """By the monotonic clock of that boot."""
    head_number: int = -1
    head_sha256: str = Field(default="", max_length=64)

    def lives(self) -> bool:
        """Whether its holder may still write."""
        return (
            self.pid != 0
            and self.boot_id == boot_id()
            and start_ticks(self.pid) == self.start_ticks
            and _now_ms() < self.until_ms
        )


class Fence:
    """Deals out the numbers of one chain."""

    def __init__(self, folder: Path, seconds: float = LEASE_SECONDS) -> None:
        self._folder = folder
        self._seconds = seconds
        self._path = folder / "fence.json"

    def take(self, at_least: int) -> int:
        """A new number, above every earlier one and above `at_least`; waits for a living holder.

        Raises ToolError when the holder goes on writing for longer than a lease lasts.
        """
        deadline = time.monotonic() + 2 * self._seconds
        while True:
            with self._locked():
                lease = self.read()
                if not lease.lives() or lease.pid == os.getpid():
                    token = max(lease.token, at_least) + 1
                    self._write(lease, token)
                    return token
            if time.monotonic() > deadline:
                raise self._held(f"process {lease.pid}")
            time.sleep(_POLL_SECONDS)

    @contextmanager
    def held(self, token: int) -> Iterator[Lease]:
        """The chain alone for the block; raises StaleWriterError unless `token` is still the newest."""
        with self._locked():
            lease = self.read()
            if lease.token != token or lease.pid != os.getpid():
                raise StaleWriterError(
                    "evidence", "another writer took over while this one slept; nothing was written",
                    place=str(self._folder), got=f"number {token}",
                    rule=f"the newest number is {lease.token}", next_step="Run the command again.",
                )  # fmt: skip
            self._write(lease, token)
            yield lease

    def note_head(self, number: int, sha256: str) -> None:
        """The record that was written last; only inside `held`."""
        lease = self.read()
        self._save(lease.model_copy(update={"head_number": number, "head_sha256": sha256}))

    def release(self, token: int) -> None:
        """Let the next writer in at once; nothing when another has it already."""
        with self._locked():
            lease = self.read()
            if lease.token == token:
                self._save(lease.model_copy(update={"pid": 0}))

    def read(self) -> Lease:
        """The lease as it stands; a file that is gone or broken is a lease of nobody."""
        try:
            return Lease.model_validate_json(self._path.read_bytes()[:2_000])
        except (OSError, ValidationError):
            return Lease()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with file_lock(self._folder / "lock", self._seconds):
                yield
        except HeldError as problem:
            raise self._held("a process that was stopped in the middle of a write") from problem

    def _write(self, lease: Lease, token: int) -> None:
        ours = {
            "token": token,
            "pid": os.getpid(),
            "boot_id": boot_id(),
            "start_ticks": start_ticks(os.getpid()) or 0,
            "until_ms": _now_ms() + int(self._seconds * 1000),
        }
        self._save(lease.model_copy(update=ours))

    def _save(self, lease: Lease) -> None:
        write_private(self._path, lease.model_dump_json())

    def _held(self, by: str) -> ToolError:
        return ToolError(
            "evidence", "another process writes this chain", place=str(self._folder), got=f"held by {by}",
            next_step=f"See which with: fuser -v {self._folder / 'lock'}. End it, then run this again.",
        )  # fmt: skip


def _now_ms() -> int:
    return int(time.monotonic() * 1000)
