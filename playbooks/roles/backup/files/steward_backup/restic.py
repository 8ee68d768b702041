"""How restic is called and what it answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from steward_backup import front
from steward_backup.errors import BackupError
from steward_backup.process import Ended, must, start
from steward_backup.settings import RESTIC, Plan, Repository
from steward_backup.watch import Watch

UNKNOWN = "failed to find snapshot"  # in restic's message; the exit code alone says nothing

ASK_SECONDS = 100.0  # for a list of snapshots; below what the one who asks waits for

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
    """Store one snapshot and give restic's summary; what a killed run left locked is unlocked first."""
    front.check(repository)
    mark = plan.records / "restic-at-work"
    if mark.exists():
        unlock(repository)
    mark.touch(mode=0o600)
    argv = backup_argv(plan, repository.incarnation, run_id)
    summary, done = "", 0
    with start(argv, env=repository.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        with Watch("restic backup", child.running, repository.limit, repository.quiet) as watch:
            for line in child.running.stdout or ():
                said = parse_status(line)
                if said.get("message_type") == "summary":
                    summary = line.decode("utf-8", "replace")
                elif said.get("bytes_done", done) != done:
                    done = said["bytes_done"]
                    watch.moved()
            code = child.running.wait()
        explain("restic backup", Ended(code, b"", child.told()))
    mark.unlink()
    return parse_summary(summary)


def unlock(repository: Repository) -> None:
    """Remove locks whose owner is dead; restic tells this host's by the process, others by age."""
    explain("restic unlock", asked([str(RESTIC), "unlock"], repository))


def asked(argv: list[str], repository: Repository) -> Ended:
    """The end of a call of restic that is short by its nature."""
    with start(argv, env=repository.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        with Watch(f"restic {argv[1]}", child.running, ASK_SECONDS):
            out, _ = child.running.communicate()
        return Ended(child.running.returncode, out or b"", child.told())


def parse_status(line: bytes) -> dict[str, Any]:
    """One of restic's JSON lines; nothing for any other line."""
    if not line.startswith(b"{"):
        return {}
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}


def snapshots(repository: Repository, plan: Plan | None) -> list[dict[str, Any]]:
    """Snapshots of one plan or of all, oldest first; a plan's must carry its name and its id."""
    front.check(repository)
    tags = ["--tag", ",".join(plan.tags)] if plan else []
    ended = asked([str(RESTIC), "snapshots", "--json", "--no-lock", *tags], repository)
    explain("restic snapshots", ended)
    found = json.loads(ended.out or b"[]") or []
    return sorted(found, key=lambda each: str(each["time"]))


def restore(repository: Repository, snapshot: str, target: Path, tell: Callable[[str], None]) -> None:
    """Restore a whole snapshot below a folder; `tell` gets the path of each file once its content is there.

    No lock is taken: it guards against the removal of old content, which hosts cannot do, and a vault whose
    disk is full could not store one.
    """
    front.check(repository)
    argv = [str(RESTIC), "restore", "--json", "-vv", "--no-lock", "--target", str(target), snapshot]
    none, pipe = subprocess.DEVNULL, subprocess.PIPE
    with start(argv, env=repository.environment(), stdin=none, stdout=pipe) as child:
        with Watch("restic restore", child.running, repository.limit):
            for line in child.running.stdout or ():
                path = parse_restored(line)
                if path is not None:
                    tell(path)
            child.running.wait()
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
