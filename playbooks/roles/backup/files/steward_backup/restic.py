"""How restic is called and what it answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from steward_backup.errors import BackupError
from steward_backup.process import Ended, must, run, start
from steward_backup.settings import RESTIC, Plan, Repository

UNKNOWN = "failed to find snapshot"  # in restic's message; the exit code alone says nothing

# restic's own exit codes, for people.
MEANING = {
    3: "some files could not be read, so the snapshot is incomplete",
    10: "the repository does not exist; enrol this host at its vault",
    11: "the repository is locked by another run",
    12: "the repository's password is wrong",
}


class UnknownSnapshotError(BackupError):
    """The repository holds no snapshot of that id; nothing was restored."""


def backup_argv(plan: Plan, host: str, run_id: str) -> list[str]:
    """Arguments of one backup: the plan's paths and the staging folder, tagged so as to be found again."""
    tags = [*plan.tags, f"run={run_id}", f"incarnation={host}"]
    flags = [part for tag in tags for part in ("--tag", tag)]
    return [
        str(RESTIC),
        "backup",
        "--json",
        "--retry-lock",
        "5m",
        "--host",
        host,
        *flags,
        "--",
        *plan.paths,
        str(plan.staging),
    ]


def parse_summary(text: str) -> dict[str, Any]:
    """The summary among restic's JSON lines; without one nothing was stored."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            found = json.loads(line)
            if found.get("message_type") == "summary":
                return dict(found)
    raise BackupError("restic backup: it ended without a summary")


def explain(what: str, ended: Ended) -> None:
    """Refuse any exit code but 0, with its meaning."""
    if ended.code in MEANING:
        raise BackupError(f"{what}: {MEANING[ended.code]} (exit code {ended.code}): {ended.err}")
    must(what, ended)


def backup(repository: Repository, plan: Plan, run_id: str) -> dict[str, Any]:
    """Store one snapshot and give restic's summary."""
    argv = backup_argv(plan, repository.incarnation, run_id)
    ended = run(argv, env=repository.environment())
    explain("restic backup", ended)
    return parse_summary(ended.out.decode("utf-8", "replace"))


def snapshots(repository: Repository, plan: Plan | None) -> list[dict[str, Any]]:
    """Snapshots of one plan or of all, oldest first; a plan's must carry its name and its id."""
    tags = ["--tag", ",".join(plan.tags)] if plan else []
    argv = [str(RESTIC), "snapshots", "--json", "--no-lock", *tags]
    ended = run(argv, env=repository.environment())
    explain("restic snapshots", ended)
    found = json.loads(ended.out or b"[]") or []
    return sorted(found, key=lambda each: str(each["time"]))


def restore(repository: Repository, snapshot: str, target: Path, tell: Callable[[str], None]) -> None:
    """Restore a whole snapshot below a folder; `tell` gets the path of each file once its content is there.

    No lock is taken: it guards against the removal of old content, which hosts cannot do, and a vault whose
    disk is full could not store one.
    """
    argv = [str(RESTIC), "restore", "--json", "-vv", "--no-lock", "--target", str(target), snapshot]
    none, pipe = subprocess.DEVNULL, subprocess.PIPE
    with start(argv, env=repository.environment(), stdin=none, stdout=pipe) as child:
        for line in child.running.stdout or ():
            path = parse_restored(line)
            if path is not None:
                tell(path)
        ended = Ended(child.running.wait(), b"", child.told())
    if ended.code == 1 and UNKNOWN in ended.err:
        raise UnknownSnapshotError(f"snapshot {snapshot} is not in the repository: {ended.err}")
    explain("restic restore", ended)


def parse_restored(line: bytes) -> str | None:
    """The path in one of restic's lines that say what is restored now, and None for any other line."""
    if b'"restored"' not in line:
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if found.get("message_type") != "verbose_status" or found.get("action") != "restored":
        return None
    return str(found["item"])


def tag(snapshot: dict[str, Any], name: str) -> str:
    """Value of a `name=value` tag, or nothing."""
    for each in snapshot.get("tags") or []:
        key, _, value = each.partition("=")
        if key == name:
            return str(value)
    return ""
