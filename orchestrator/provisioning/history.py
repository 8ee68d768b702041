"""What Pulumi wrote of every change of a stack, beside the runs that the ledger knows."""

from __future__ import annotations

import json
import pwd
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from policies.subjects.history import SCHEMA, through_of

_MOST: Final = 5_000
"""Changes, newest first."""
_LARGEST: Final = 1 << 20


def history_document(folder: Path, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The document `steward.pulumi-history/1` of one stack; a file that cannot be read is an entry too."""
    files = sorted(folder.glob("*.history.json"), key=lambda path: path.name, reverse=True)[:_MOST]
    rows = [
        {"run": row["id"], "verb": row["verb"], "started_at": row["started_at"], "ended_at": row["ended_at"]}
        for row in runs
    ]
    return {"schema": SCHEMA, "entries": [_entry(path) for path in files], "runs": rows}


def _entry(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes()[:_LARGEST])
        return {
            "operation": str(found["kind"]),
            "started_at": _written(found["startTime"]),
            "ended_at": _written(found["endTime"]),
            "result": str(found["result"]),
            "by": _account(path),
            "through": through_of(found.get("environment")),
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        why = {"unknown": f"{path.name} cannot be read: {type(problem).__name__}"}
        return {"operation": why, "started_at": path.name, "ended_at": why, "result": why, "by": why}


def _written(seconds: object) -> str:
    return datetime.fromtimestamp(int(str(seconds)), UTC).isoformat(timespec="seconds")


def _account(path: Path) -> str:
    """The account that wrote the file: a stack's history names no person."""
    owner = path.stat().st_uid
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return f"uid {owner}"
