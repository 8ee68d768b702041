"""Verbs of `steward-backup`: one JSON document on standard output; exit codes 0 done, 1 failed, 2 misuse."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import secrets
import sys
import time
from typing import Any

from steward_backup import backup, records, restic, restore, settings
from steward_backup.errors import BackupError, StoppedError
from steward_backup.process import stop_on_signals


LONGEST_LOAN = 64 * 1024  # characters


def parser() -> argparse.ArgumentParser:
    """The verbs and their options."""
    top = argparse.ArgumentParser(prog="steward-backup", allow_abbrev=False)
    verbs = top.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="back up one plan")
    run.add_argument("--plan", required=True)
    run.add_argument("--run", default="")
    verbs.add_parser("status", help="timers and last runs of all plans")
    listing = verbs.add_parser("list", help="snapshots in the repository")
    listing.add_argument("--plan")
    again = verbs.add_parser("restore", help="restore beside the live things, and compare")
    again.add_argument("--plan", required=True)
    again.add_argument("--snapshot", default="latest")
    where = again.add_mutually_exclusive_group()
    where.add_argument("--target", help="new or empty folder; it stays afterwards")
    where.add_argument("--database", help="restore only this database of the plan, into a scratch database")
    again.add_argument("--run", required=True)
    again.add_argument(
        "--lent", action="store_true", help="from another repository, which standard input tells of"
    )
    return top


def run_id(asked: str) -> str:
    """The run's id: the one given, or a new one for a run that a timer started."""
    if not asked:
        return f"timer-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}"
    if not settings.RUN.match(asked):
        raise BackupError(f"run {asked[:80]!r} must be letters, digits and . _ : - (at most 80)")
    return asked


def listed(plan: str | None) -> dict[str, Any]:
    """The repository's snapshots, with what a person asks of them."""
    chosen = settings.plan(plan) if plan else None
    found = restic.snapshots(settings.repository(), chosen)
    return {
        "schema": "steward.backup-list/1",
        "snapshots": [
            {
                "id": each["id"],
                "short_id": each["short_id"],
                "time": each["time"],
                "plan": restic.tag(each, "plan"),
                "paths": each["paths"],
                "tags": each.get("tags") or [],
                "size_bytes": (each.get("summary") or {}).get("total_bytes_processed"),
            }
            for each in found
        ],
    }


def answer(asked: argparse.Namespace) -> dict[str, Any]:
    """Do what was asked and give its document."""
    if asked.verb == "status":
        return records.status()
    if asked.verb == "list":
        return listed(asked.plan)
    plan, repository = settings.plan(asked.plan), settings.repository()
    run = os.environ["STEWARD_RUN"] = run_id(asked.run)
    if asked.verb == "run":
        return backup.run(repository, plan, run)
    what = {"snapshot": asked.snapshot, "target": asked.target, "database": asked.database, "run_id": run}
    if not asked.lent:
        return restore.run(repository, plan, **what)
    with settings.lent(sys.stdin.read(LONGEST_LOAN), repository) as (other, plan_id):
        return restore.run(other, dataclasses.replace(plan, id=plan_id), **what)


def main(arguments: list[str]) -> int:
    """Answer one verb."""
    asked = parser().parse_args(arguments)
    stop_on_signals()
    os.umask(0o077)
    try:
        document = answer(asked)
    except (BackupError, OSError, KeyError, StoppedError) as problem:
        print(f"steward-backup: {problem}"[:4000], file=sys.stderr)
        return 1
    print(json.dumps(document))
    return 0 if document.get("ok", True) else 1
