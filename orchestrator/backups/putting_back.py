"""How a restored copy is put in the place of the living data, as commands to copy; and who removes it. Pure.

Steward never writes over living data: where the copy goes, and when, is a person's decision.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.reporting.findings import restore_command
from stacks.fleet.backup import BackupPlan

_STAGING = "/var/lib/steward/backup/{plan}/staging"


def put_back(plan: str, spec: BackupPlan, target: str, databases: Sequence[str] = ()) -> list[str]:
    """The commands on the server that put a copy in `target` in place; they replace what is there.

    Files that were made since stay beside them. A database gets the tables of the copy.
    """
    if spec.postgresql:
        staging = f"{target}{_STAGING.format(plan=plan)}"
        return [
            "sudo pg_restore --username=postgres --clean --if-exists --exit-on-error "
            f"--dbname={shlex.quote(name)} {shlex.quote(f'{staging}/{name}.dump')}"
            for name in databases or spec.postgresql
        ]
    return [
        f"sudo cp --archive --no-target-directory {shlex.quote(f'{target}{path}')} {shlex.quote(path)}"
        for path in spec.paths
    ]


def remove(target: str) -> str:
    """The command on the server that removes the copy."""
    return f"sudo rm --recursive -- {shlex.quote(target)}"


@dataclass(frozen=True)
class Restored:
    """A restore that was the same, as a person goes on from there; `target` is None for a scratch folder."""

    server: str
    plan: str
    spec: BackupPlan
    snapshot: str
    target: str | None
    databases: tuple[str, ...]
    fleet_file: str
    predecessor: bool

    def commands(self) -> list[str]:
        """What puts the copy in place, on the server; none where no copy was kept."""
        return put_back(self.plan, self.spec, self.target, self.databases) if self.target else []

    def afterwards(self) -> list[str]:
        """What a person is told: where the copy lies, how it gets in place, and who removes it."""
        fleet = shlex.quote(self.fleet_file)
        pair = f"--fleet {fleet} --host {shlex.quote(self.server)} --plan {shlex.quote(self.plan)}"
        if self.target is None:
            keep = restore_command(f" --fleet {fleet}", self.server, self.plan, self.snapshot)
            return [
                "the copy was removed again: this was a test of the backup, nothing on the server changed",
                f"to keep one: {keep}",
            ]
        lines = [
            f"the copy stays in {self.target} on {self.server}; nothing else there changed",
            f"to put it back, stop what writes to the data, then on {self.server}:",
            *(f"  {each}" for each in self.commands()),
            f"Steward never removes the copy; when it is not needed any more, on {self.server}:",
            f"  {remove(self.target)}",
        ]
        if self.predecessor:
            lines += [
                "when the data are back, take a backup of them, and say that the server has what it needs:",
                f"  steward backup run {pair}",
                f"  steward backup accept {pair}",
            ]
        return lines
