"""The verb `restore`: bring a snapshot back beside what is live, and compare it all with its manifest."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from steward_backup import dumps, manifest, records, restic
from steward_backup.errors import BackupError, StoppedError
from steward_backup.hashing import Hashing, Seen
from steward_backup.postgresql import Server
from steward_backup.settings import SCRATCH, Plan, Repository

MOST_TOLD = 1000  # differing names in the document


def pick(found: list[dict[str, Any]], wanted: str, plan: Plan) -> dict[str, Any]:
    """The snapshot asked for, by id, by its beginning, or the latest; only the plan's own count."""
    if not found:
        raise BackupError(f"plan {plan.name} has no snapshot in the repository")
    if wanted == "latest":
        return found[-1]
    same = [each for each in found if len(wanted) >= 8 and str(each["id"]).startswith(wanted)]
    if len(same) != 1:
        raise BackupError(
            f"plan {plan.name}: {len(same)} of its {len(found)} snapshots match {wanted[:64]!r}; one must"
        )
    return same[0]


def check_database(plan: Plan, database: str | None) -> None:
    """Refuse a database that the plan does not protect."""
    if database and database not in plan.databases:
        known = ", ".join(plan.databases) or "none"
        raise BackupError(f"database {database[:80]!r} is not in plan {plan.name}; it has: {known}")


@contextmanager
def target_folder(asked: str | None, run_id: str) -> Iterator[Path]:
    """The folder to restore into. One that was asked for stays afterwards, our own is removed."""
    folder = Path(asked) if asked else SCRATCH / run_id
    if not folder.is_absolute() or ".." in folder.parts:
        raise BackupError(f"target {str(folder)!r} must be an absolute path")
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise BackupError(
            f"target {folder} must be a new or empty folder; nothing is ever restored over live files"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if asked is None:
            shutil.rmtree(folder, ignore_errors=True)


def check_room(folder: Path, needed: int) -> None:
    """Refuse a restore that would fill the disk."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    if free < needed:
        raise BackupError(f"{folder}: {free} bytes are free, the snapshot needs {needed}")


def last_good(plan: Plan, wanted: str) -> dict[str, Any] | None:
    """The record of the plan's last good run, when its snapshot is the one asked for.

    The record spares a second start of restic, whose key takes longer to derive than a small restore does.
    """
    found = records.read(plan.records / "last-good.json")
    if found is None or found["plan_id"] != plan.id or wanted not in ("latest", found["snapshot"]):
        return None
    return found


def bring_back(
    repository: Repository, plan: Plan, wanted: str, folder: Path, document: dict[str, Any]
) -> dict[str, Seen]:
    """Restore the snapshot asked for below the folder, and give the digests of what came back.

    The repository is asked for its snapshots when there is no record, or when it does not know the one there.
    """
    known = last_good(plan, wanted)
    if known is not None:
        try:
            return unpack(repository, known["snapshot"], known["bytes"], folder, document)
        except restic.UnknownSnapshotError:
            document["snapshot"] = None
    chosen = pick(restic.snapshots(repository, plan), wanted, plan)
    needed = int((chosen.get("summary") or {}).get("total_bytes_processed", 0))
    return unpack(repository, chosen["id"], needed, folder, document)


def unpack(
    repository: Repository, snapshot: str, needed: int, folder: Path, document: dict[str, Any]
) -> dict[str, Seen]:
    """Restore one snapshot of about `needed` bytes, and digest each file as soon as it is there."""
    check_room(folder, needed)
    document["snapshot"] = snapshot
    with Hashing() as hashing:
        restic.restore(repository, snapshot, folder, lambda path: hashing.tell(path, f"{folder}{path}"))
        hashing.finish()
        return hashing.seen


def read_manifest(root: Path, plan: Plan) -> dict[str, Any]:
    """The manifest that came back with the snapshot; without it nothing can be proven."""
    path = Path(f"{root}{plan.staging}/manifest.json")
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as problem:
        raise BackupError(f"the snapshot holds no readable manifest: {problem}") from problem
    path.unlink()
    if found.get("schema") != manifest.SCHEMA or found.get("plan_id") != plan.id:
        raise BackupError("the snapshot's manifest belongs to another plan or another version")
    return found


def blank(plan: Plan) -> dict[str, Any]:
    """The restore document before anything happened."""
    return {
        "schema": "steward.backup-restore/1",
        "plan": plan.name,
        "snapshot": None,
        "target": None,
        "files_compared": 0,
        "files_different": [],
        "tables_compared": 0,
        "tables_different": [],
        "bytes": 0,
        "duration_seconds": 0.0,
        "ok": False,
        "error": None,
    }


def run(
    repository: Repository,
    plan: Plan,
    *,
    snapshot: str,
    target: str | None,
    database: str | None,
    run_id: str,
) -> dict[str, Any]:
    """Restore, compare, and say how it went."""
    document, started = blank(plan), time.monotonic()
    try:
        check_database(plan, database)
        with target_folder(target, run_id) as folder:
            document["target"] = str(folder)
            seen = bring_back(repository, plan, snapshot, folder, document)
            found = read_manifest(folder, plan)
            compare_files(found, folder, seen, document)
            databases = {
                name: found["databases"][name] for name in ([database] if database else found["databases"])
            }
            staging = Path(f"{folder}{plan.staging}")
            compare_tables(Server(repository.postgresql_port), databases, staging, document)
        document["ok"] = not document["files_different"] and not document["tables_different"]
        if not document["ok"]:
            document["error"] = f"{plan.name}: what came back differs from what was backed up"
    except (BackupError, OSError, ValueError, KeyError, StoppedError) as problem:
        document["error"] = f"{plan.name}: {problem}"[:4000]
    document["duration_seconds"] = round(time.monotonic() - started, 3)
    return document


def compare_files(
    found: dict[str, Any], folder: Path, seen: dict[str, Seen], document: dict[str, Any]
) -> None:
    """Compare every restored file with the manifest."""
    document["files_compared"] = len(found["files"])
    document["bytes"] = sum(entry.get("size", 0) for entry in found["files"].values())
    different = manifest.compare(found["files"], folder, tuple(found["paths"]), seen)
    document["files_different"] = different[:MOST_TOLD]


def compare_tables(
    server: Server, databases: dict[str, Any], staging: Path, document: dict[str, Any]
) -> None:
    """Restore dumps into scratch databases and compare every table's digest."""
    scratches = []
    for database, like in databases.items():
        scratch = f"steward_restore_{secrets.token_hex(4)}"
        scratches.append(scratch)
        count, different = dumps.compare(server, staging / Path(like["dump"]).name, like, scratch)
        document["tables_compared"] += count
        document["tables_different"] += [f"{database}.{name}" for name in different][:MOST_TOLD]
    if scratches:
        document["target"] = ",".join(scratches)
