"""Asking the backup tool of a host, over its shell."""

from __future__ import annotations

from orchestrator.backups.credentials import LentRepository
from orchestrator.backups.documents import (
    BackupRun,
    BackupStatus,
    RestoreResult,
    Snapshot,
    SnapshotList,
    read_document,
)
from orchestrator.errors import ToolError
from orchestrator.ports.hosts import HostShell
from orchestrator.process import CommandResult
from stacks.outputs import ServerOutput

_PROGRAM = "/usr/local/sbin/steward-backup"
_TOOL = ["sudo", "-n", _PROGRAM]
_ASK_SECONDS = 120.0
_WORK_SECONDS = 6 * 3600.0


def host_status(shell: HostShell, server: ServerOutput) -> BackupStatus:
    """Timers and last results of every plan of a host."""
    done = shell.run(server, [*_TOOL, "status"], timeout=_ASK_SECONDS)
    return read_document(BackupStatus, done.stdout, server.name)


def take_backup(shell: HostShell, server: ServerOutput, plan: str, run: str) -> BackupRun:
    """Run one plan now; a failed backup is a result with `ok` false."""
    argv = [*_marked(run), "run", "--plan", plan, "--run", run]
    done = shell.run(server, argv, timeout=_WORK_SECONDS, check=False)
    return read_document(BackupRun, _answer(server, done), server.name)


def list_snapshots(shell: HostShell, server: ServerOutput, plan: str | None) -> list[Snapshot]:
    """The snapshots in the host's repository, oldest first."""
    argv = [*_TOOL, "list", *(["--plan", plan] if plan else [])]
    done = shell.run(server, argv, timeout=_ASK_SECONDS)
    found = read_document(SnapshotList, done.stdout, server.name).snapshots
    own = {"repository": server.incarnation, "earlier": False, "past_keep": False}
    return sorted((each.model_copy(update=own) for each in found), key=lambda each: each.time)


def restore(
    shell: HostShell,
    server: ServerOutput,
    plan: str,
    snapshot: str,
    run: str,
    target: str | None,
    database: str | None,
    lent: LentRepository | None = None,
) -> RestoreResult:
    """Restore next to the living data and compare; a difference is a result with `ok` false.

    `lent` is another repository than the host's own, for this one call: it goes by standard input alone.
    """
    argv = [*_marked(run), "restore", "--plan", plan, "--snapshot", snapshot, "--run", run]
    argv += ["--target", target] if target else []
    argv += ["--database", database] if database else []
    argv += ["--lent"] if lent else []
    given = lent.model_dump_json() if lent else None
    done = shell.run(server, argv, timeout=_WORK_SECONDS, check=False, stdin=given)
    return read_document(RestoreResult, _answer(server, done), server.name)


def _marked(run: str) -> list[str]:
    """The tool with the run's mark in its environment, by which a stopped run ends what it left there."""
    return ["sudo", "-n", "env", f"STEWARD_RUN={run}", _PROGRAM]


def _answer(server: ServerOutput, done: CommandResult) -> str:
    """The document that was printed; a tool that gave up without one raises ToolError with its words."""
    if done.returncode != 0 and not done.stdout.strip():
        said = done.stderr.strip()[-2_000:] or f"steward-backup ended with exit code {done.returncode}"
        raise ToolError(server.name, said)
    return done.stdout
