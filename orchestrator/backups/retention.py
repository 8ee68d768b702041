"""Which snapshots a plan's `keep` asks for, in the repository of each incarnation by itself. Pure.

Counted as one, the young snapshots of a server that began empty would push out the last of what it lost.
Nothing is forgotten by it: the store refuses deletion, and what is past `keep` goes by a person's word alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from orchestrator.backups.documents import Snapshot
from stacks.fleet.backup import BackupPlan, Keep

_PERIODS: Final[Mapping[str, Callable[[datetime], tuple[int, ...]]]] = {
    "hourly": lambda at: (at.year, at.month, at.day, at.hour),
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: tuple(at.isocalendar()[:2]),
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}


def kept(snapshots: Iterable[tuple[str, datetime]], keep: Keep) -> set[str]:
    """The ids that stay: the newest of each of the last so many hours, days, weeks, months, years (UTC)."""
    newest_first = sorted(snapshots, key=lambda each: (each[1], each[0]), reverse=True)
    stays: set[str] = set()
    for period, part_of in _PERIODS.items():
        seen: set[tuple[int, ...]] = set()
        for snapshot, at in newest_first:
            if len(seen) == getattr(keep, period):
                break
            if part_of(at) not in seen:
                seen.add(part_of(at))
                stays.add(snapshot)
    return stays


def with_keep(snapshots: Sequence[Snapshot], plans: Mapping[str, BackupPlan]) -> list[Snapshot]:
    """The snapshots of one server, oldest first, each with whether its plan asks for it no more.

    Of a plan that the fleet does not have any more nobody can tell, so all of its snapshots stay.
    """
    stays: set[str] = set()
    for repository, plan in {(each.repository, each.plan) for each in snapshots}:
        own = [
            (each.id, each.time) for each in snapshots if (each.repository, each.plan) == (repository, plan)
        ]
        stays |= kept(own, plans[plan].keep) if plan in plans else {name for name, _ in own}
    marked = (each.model_copy(update={"past_keep": each.id not in stays}) for each in snapshots)
    return sorted(marked, key=lambda each: (each.time, each.id))
