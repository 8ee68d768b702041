"""What is known on this host about a plan's runs: the stored documents and its timer."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from steward_backup import settings
from steward_backup.process import must, run

ASKED = ("UnitFileState", "NextElapseUSecRealtime", "LastTriggerUSec")


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write(path: Path, document: dict[str, Any]) -> None:
    """Store a document whole: beside its name first, then under it."""
    draft = path.with_name(f".{path.name}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(document, out)
        out.flush()
        os.fsync(out.fileno())
    draft.rename(path)


def read(path: Path) -> dict[str, Any] | None:
    """A stored document, or None when there is none or a crash left it unreadable."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return None


def read_own(path: Path, plan: settings.Plan) -> dict[str, Any] | None:
    """A stored document of this very plan; what an earlier plan of the same name left counts for nothing."""
    found = read(path)
    return found if found is not None and found.get("plan_id") == plan.id else None


def parse_timer(text: str) -> dict[str, Any]:
    """A timer's state from `systemctl show` with TZ=UTC; a time that is empty or 'n/a' is none."""
    shown = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {
        "enabled": shown.get("UnitFileState") == "enabled",
        "next_at": moment(shown.get("NextElapseUSecRealtime", "")),
        "last_at": moment(shown.get("LastTriggerUSec", "")),
    }


def moment(text: str) -> str | None:
    """'Mon 2026-11-23 01:36:12 UTC' in the form of `now`; anything else is no time."""
    try:
        found = datetime.strptime(text.replace("UTC", "+0000"), "%a %Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None
    return found.isoformat(timespec="seconds")


def timer(name: str) -> dict[str, Any]:
    """The state of a plan's timer."""
    unit = f"steward-backup@{name}.timer"
    argv = ["/usr/bin/systemctl", "show", f"--property={','.join(ASKED)}", "--", unit]
    ended = must("systemctl show", run(argv, env={"LANG": "C.UTF-8", "TZ": "UTC"}))
    return parse_timer(ended.out.decode())


def status() -> dict[str, Any]:
    """Every plan of this host with its timer, its last run and its last good run."""
    plans = []
    for name in settings.plan_names():
        plan = settings.plan(name)
        plans.append(
            {
                "plan": plan.name,
                "plan_id": plan.id,
                "timer": timer(name),
                "last": read_own(plan.records / "last.json", plan),
                "last_good": read_own(plan.records / "last-good.json", plan),
            }
        )
    return {"schema": "steward.backup-status/1", "plans": plans}
