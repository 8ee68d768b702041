"""The circumstances of a judgement, as far as this process knows them."""

from __future__ import annotations

import hashlib
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import policies
from orchestrator.circumstances import actor, change_id, commit_of, tool_versions
from orchestrator.judging.check import Circumstances, ReportPhase
from orchestrator.settings import Settings

_HERE: Final = Path(policies.__file__).parent
_JUDGES: Final = ("rules", "catalog", "subjects", "controls")


def circumstances(
    settings: Settings,
    phase: ReportPhase,
    run: str,
    started: datetime,
    stack: str,
    client: str,
    environment: str,
) -> Circumstances:
    """All that a report says beside what was found."""
    return Circumstances(
        run=run,
        stack=stack,
        client=client,
        environment=environment,
        phase=phase,
        started_at=started,
        actor=actor(),
        command=["steward", *sys.argv[1:]],
        versions={"steward": version("steward-iac"), "python": sys.version.split()[0], **tool_versions()},
        rules_digest=_digest(*(_HERE / room for room in _JUDGES), settings.own_rules),
        profiles_digest=_digest(_HERE / "profiles"),
        commit=commit_of(settings.project),
        change_id=change_id(),
    )


def _digest(*folders: Path) -> str:
    """SHA-256 over names and contents of the rules' files."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".yaml"):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                total.update(f"{folder.name}/{path.relative_to(folder).as_posix()} {content}\n".encode())
    return total.hexdigest()
