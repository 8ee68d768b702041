"""One writer a stack: a lock that dies with its holder, and says who that is or was."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import InputError
from orchestrator.file_lock import HeldError, file_lock
from orchestrator.private_file import write_private
from orchestrator.processes import boot_id, start_ticks


class Holder(BaseModel):
    """Who has a stack: a process is the same one only with the same boot, number and start time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int = Field(gt=0)
    verb: str = Field(max_length=40)
    user: str = Field(max_length=80)
    machine: str = Field(max_length=80)
    since: str = Field(max_length=40)
    boot_id: str = Field(max_length=40)
    start_ticks: int
    """When the process began, in clock ticks since that boot."""

    def __str__(self) -> str:
        return f"steward {self.verb}, process {self.pid} of {self.user} on {self.machine}, since {self.since}"

    def proof_of_death(self) -> str:
        """Why this holder cannot live any more, in a few words; '' when it may."""
        if self.machine != socket.gethostname():
            return ""
        if self.boot_id != boot_id():
            return "this machine was started anew since"
        began = start_ticks(self.pid)
        if began is None:
            return f"no process {self.pid} runs any more"
        if began != self.start_ticks:
            return f"process {self.pid} is another one by now: it began later"
        return ""


@contextmanager
def stack_lock(
    home: Path, stack: str, verb: str, say: Callable[[str], None] = lambda _: None
) -> Iterator[Holder | None]:
    """Hold the stack for the block; raises InputError that names the holder when somebody else has it.

    Yields who had it before and never gave it back: the lock itself died with that process, which is told.
    """
    folder = home / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    holder = folder / f"{stack}.holder"
    with ExitStack() as until_the_end:
        try:
            until_the_end.enter_context(file_lock(folder / f"{stack}.lock", wait_seconds=0))
        except HeldError as problem:
            who = _told(holder)
            raise InputError(
                stack, "another steward works on this stack",
                got=str(who) if who else "a process that has not said yet who it is",
                next_step=f"Wait until it ends, or stop it: kill -INT {who.pid}" if who
                else "Wait until it ends, or stop it with Ctrl-C where it runs.",
            ) from problem  # fmt: skip
        until_the_end.callback(holder.unlink, missing_ok=True)
        left = _told(holder)
        if left is not None:
            why = left.proof_of_death() or "it holds the lock no more"
            say(f"{stack}: broke the lock of a dead {left}; {why}")
        write_private(holder, _ourselves(verb).model_dump_json())
        yield left


def _ourselves(verb: str) -> Holder:
    return Holder(
        pid=os.getpid(),
        verb=verb,
        user=getpass.getuser(),
        machine=socket.gethostname(),
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        boot_id=boot_id(),
        start_ticks=start_ticks(os.getpid()) or 0,
    )


def _told(holder: Path) -> Holder | None:
    try:
        return Holder.model_validate_json(holder.read_text()[:2_000])
    except (OSError, ValidationError, UnicodeDecodeError):
        return None
