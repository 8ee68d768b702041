"""What earlier runs left in their reports: how long a verb took, and what came of restores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.backups.records import Drill
from orchestrator.progress import EarlierRun
from orchestrator.reporting.seen import Restore
from orchestrator.settings import Settings

LastRuns = Callable[[str, int], Sequence[Mapping[str, Any]]]
"""(stack, limit) -> rows of the ledger, newest first."""

_RESTORE = "backup restore"
_RUNS = 5
_LOOKED_AT = 30
_LARGEST_REPORT = 64 << 20


def earlier_runs(settings: Settings, last_runs: LastRuns, stack: str, verb: str) -> Sequence[EarlierRun]:
    """The last runs of this verb on this stack that reached their end, newest first; at most five."""
    found: list[EarlierRun] = []
    for row in last_runs(stack, _LOOKED_AT):
        if row["verb"] == verb and row["exit_code"] in (0, 1):
            found += _read(settings, str(row["id"]))
        if len(found) == _RUNS:
            break
    return found


def earlier_drills(settings: Settings, rows: Sequence[Mapping[str, Any]]) -> Sequence[Drill]:
    """What came of each restore that left a report, newest first."""
    found: list[Drill] = []
    for row in rows:
        if row["verb"] == _RESTORE and row["ended_at"]:
            found += _drill(settings.run_folder(str(row["id"])) / "report.json")
    return found


def _drill(path: Path) -> Iterator[Drill]:
    try:
        if path.stat().st_size <= _LARGEST_REPORT:
            document = json.loads(path.read_text())
            if document["restore"]:
                at = datetime.fromisoformat(document["finished_at"])
                yield Drill(at, Restore.model_validate(document["restore"]))
    except (OSError, ValueError, KeyError, TypeError):  # a ValidationError is a ValueError, too
        return


def _read(settings: Settings, run: str) -> Iterator[EarlierRun]:
    """The run, if its report can be read; a report that was deleted or cut off tells nothing."""
    path = settings.run_folder(run) / "report.json"
    try:
        if path.stat().st_size > _LARGEST_REPORT:
            return
        document = json.loads(path.read_text())
        yield EarlierRun(
            steps=[(str(step["name"]), float(step["duration_seconds"])) for step in document["steps"]],
            tasks={str(host["name"]): _tasks(host) for host in document["hosts"] if _tasks(host)},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return


def _tasks(host: Mapping[str, Any]) -> int:
    return int(host["ok"]) + int(host["failed"])
