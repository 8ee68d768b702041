"""Pulumi's own lock on a stack: broken only with proof that its holder is dead."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.errors import InputError
from orchestrator.processes import name_of, started_at

_CLOCK_SLACK = timedelta(seconds=5)
"""Between the start time that the kernel counts in ticks and the wall clock."""


@dataclass(frozen=True)
class PulumiLock:
    """One lock file of the file backend: who took it, where, when."""

    path: Path
    pid: int
    host: str
    user: str
    since: str

    def proof_of_death(self) -> str:
        """Why its holder cannot live any more; '' when it may. Only the machine that took it can know.

        Pulumi writes neither boot nor start time, so a living process of that number counts only when it is
        a Pulumi that began before the lock was taken.
        """
        if self.host != socket.gethostname():
            return ""
        began = started_at(self.pid)
        if began is None:
            return f"no process {self.pid} runs any more"
        if name_of(self.pid) != "pulumi":
            return f"process {self.pid} is {name_of(self.pid) or 'over'} by now"
        taken = self.taken_at()
        if taken is not None and began > taken + _CLOCK_SLACK:
            return f"process {self.pid} is another pulumi, which began after the lock was taken"
        return ""

    def taken_at(self) -> datetime | None:
        """When the lock was taken, by the file's own word."""
        try:
            found = datetime.fromisoformat(self.since)
        except ValueError:
            return None
        return found if found.tzinfo else None


def locks(backend: Path, project: str, stack: str) -> Iterator[PulumiLock]:
    """The locks on a stack; raises InputError for one that cannot be read."""
    for path in sorted((backend / ".pulumi" / "locks" / "organization" / project / stack).glob("*.json")):
        try:
            told = json.loads(path.read_text())
            yield PulumiLock(path, int(told["pid"]), told["hostname"], told["username"], told["timestamp"])
        except FileNotFoundError:
            continue  # let go meanwhile
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise InputError(
                stack, f"Pulumi's lock cannot be read: {problem}", place=str(path),
                next_step='When nobody works on it: eval "$(steward env --fleet FILE)" && pulumi cancel',
            ) from problem  # fmt: skip


def break_dead_locks(backend: Path, project: str, stack: str) -> list[str]:
    """Remove locks of dead holders and say whose; a living one is left for Pulumi to refuse."""
    told = []
    for lock in locks(backend, project, stack):
        proof = lock.proof_of_death()
        if proof:
            lock.path.unlink(missing_ok=True)
            told.append(
                f"broke the lock of a dead pulumi (process {lock.pid} of {lock.user}, {lock.since}): {proof}"
            )
    return told
