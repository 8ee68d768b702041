"""Pulumi's own lock on a stack: broken only with proof that its holder is dead."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import InputError


@dataclass(frozen=True)
class PulumiLock:
    """One lock file of the file backend: who took it, where, when."""

    path: Path
    pid: int
    host: str
    user: str
    since: str

    def holder_is_dead(self) -> bool:
        """True only on the machine that took it, where no Pulumi of that number runs any more."""
        if self.host != socket.gethostname():
            return False
        try:
            return Path(f"/proc/{self.pid}/comm").read_text().strip() != "pulumi"
        except OSError:
            return True


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
        if lock.holder_is_dead():
            lock.path.unlink(missing_ok=True)
            told.append(f"broke the lock of a dead pulumi (process {lock.pid} of {lock.user}, {lock.since})")
    return told
