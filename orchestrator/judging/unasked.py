"""What a judgement of files did not look at, as its report says it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestrator.judging.sources import RECORDS, Source
from orchestrator.policy_reference import Policy
from orchestrator.reporting.humanise import plural
from orchestrator.reporting.policy.model import NotChecked


def not_checked(
    sources: Sequence[Source], as_of: datetime | None, unchanged: int, ref: str
) -> list[NotChecked]:
    """Sources that are silent, time since a moment that was asked for, and subjects unchanged since a ref."""
    found = [_silent(source) for source in sources if source.silent]
    if as_of:
        found.append(
            NotChecked(
                what="what has happened since",
                why=f"ages count to {as_of:%Y-%m-%d %H:%M:%S} UTC, as --as-of asks",
                next_step="Judge what was collected today, without --as-of.",
            )
        )
    if unchanged:
        found.append(
            NotChecked(
                what=plural(unchanged, "subject"),
                why=f"unchanged since {ref}",
                next_step="Judge all of them without --changed-since.",
            )
        )
    return found


def unproven(policy: Policy) -> Sequence[NotChecked]:
    """Said aloud: a folder that was never read here shows nothing of what it held before."""
    if not policy.holding.baseline.entries or policy.seen.earlier_baseline is not None:
        return ()
    return [
        NotChecked(
            what="whether the baseline grew",
            why="it lies in a folder without history that was never read here before",
            next_step="Name the reference as REPO@REF:FOLDER, or keep STEWARD_HOME from run to run.",
        )
    ]


def _silent(source: Source) -> NotChecked:
    if source.kind == RECORDS:
        return NotChecked(
            what=plural(len(source.subjects), "backup"),
            why="the fleet asks for them, and no record of them was given",
            next_step="Give the records of all its plans and servers.",
        )
    return NotChecked(
        what=plural(len(source.subjects), "host"),
        why="the fleet has them, and no facts of them were given",
        next_step="Collect them: steward verify --fleet FILE",
    )
