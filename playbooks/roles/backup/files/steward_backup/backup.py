"""The verb `run`: one backup of one plan, and its record whatever happens."""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from steward_backup import dumps, manifest, records, restic
from steward_backup.errors import BackupError, StoppedError
from steward_backup.postgresql import Server
from steward_backup.settings import Plan, Repository

PASSES = 3  # tries until no file changes between its digest and its backup


@contextmanager
def alone(plan: Plan) -> Iterator[None]:
    """Hold the plan's lock; a second run of the same plan is refused, not queued."""
    plan.records.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(plan.records / "lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"plan {plan.name}: a backup of it is running already") from None
        yield


@contextmanager
def staged(plan: Plan) -> Iterator[Path]:
    """An empty staging folder, gone at the end; what a killed run left is removed first."""
    shutil.rmtree(plan.staging, ignore_errors=True)
    plan.staging.mkdir(mode=0o700)
    try:
        yield plan.staging
    finally:
        shutil.rmtree(plan.staging, ignore_errors=True)


def blank(plan: Plan, run_id: str) -> dict[str, Any]:
    """The run document before anything happened."""
    return {
        "schema": "steward.backup-run/1",
        "plan": plan.name,
        "plan_id": plan.id,
        "run": run_id,
        "started_at": records.now(),
        "finished_at": None,
        "snapshot": None,
        "paths": list(plan.paths),
        "databases": list(plan.databases),
        "files": 0,
        "bytes": 0,
        "added_bytes": 0,
        "duration_seconds": 0.0,
        "ok": False,
        "error": None,
    }


def run(repository: Repository, plan: Plan, run_id: str) -> dict[str, Any]:
    """Back up one plan; the document says how it went, and is stored on this host."""
    document, started = blank(plan, run_id), time.monotonic()
    with alone(plan):
        try:
            store(repository, plan, run_id, document)
            document["ok"] = True
        except (BackupError, OSError, ValueError, KeyError, StoppedError) as problem:
            document["error"] = f"{plan.name}: {problem}"[:4000]
        document["finished_at"] = records.now()
        document["duration_seconds"] = round(time.monotonic() - started, 3)
        records.write(plan.records / "last.json", document)
        if document["ok"]:
            records.write(plan.records / "last-good.json", document)
    return document


def store(repository: Repository, plan: Plan, run_id: str, document: dict[str, Any]) -> None:
    """Take the manifest, store the snapshot, and fill in the document."""
    manifest.check_paths(plan.paths)
    with staged(plan) as staging:
        databases = {}
        if plan.kind == "postgresql":
            databases = dumps.dump_all(Server(repository.postgresql_port), plan.databases, staging)
        for _ in range(PASSES):
            remembered = write_manifest(plan, run_id, databases)
            summary = restic.backup(repository, plan, run_id)
            if not manifest.changed_since(remembered):
                break
    document["snapshot"] = summary["snapshot_id"]
    document["files"] = summary["total_files_processed"]
    document["bytes"] = summary["total_bytes_processed"]
    document["added_bytes"] = summary.get("data_added_packed", summary["data_added"])


def write_manifest(plan: Plan, run_id: str, databases: dict[str, Any]) -> dict[str, Any]:
    """Write what the snapshot must hold into staging, and remember the digests for the next run."""
    memory = plan.records / "digests.json"
    known = records.read(memory) or {}
    tops = (*plan.paths, str(plan.staging)) if plan.kind == "postgresql" else plan.paths
    path = plan.staging / "manifest.json"
    path.unlink(missing_ok=True)
    entries, remembered = manifest.take(tops, known)
    content = {
        "schema": manifest.SCHEMA,
        "plan": plan.name,
        "plan_id": plan.id,
        "run": run_id,
        "taken_at": records.now(),
        "paths": list(tops),
        "files": entries,
        "databases": databases,
    }
    path.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
    records.write(memory, remembered)
    return remembered
