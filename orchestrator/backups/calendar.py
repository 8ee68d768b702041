"""What arrived from each server day by day, against its schedule and RPO, by what the vault saw. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from orchestrator.ports.backups import Receipt
from orchestrator.reporting.seen import BackupHistory
from stacks.fleet.backup import BackupPlan
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

DAYS = 28
_DAY = timedelta(days=1)


def calendar(
    fleet: Fleet, servers: Sequence[ServerOutput], arrivals: Iterable[Receipt], now: datetime
) -> list[BackupHistory]:
    """One row per server with a plan, for the last `DAYS` days; nothing is said of days before it arrived."""
    today = now.astimezone(UTC).date()
    days = [today - (DAYS - 1 - back) * _DAY for back in range(DAYS)]
    due = {name: _due(plan, days, now) for name, plan in fleet.backups.items()}
    times = _times(arrivals)
    rows = []
    for server in servers:
        plans = fleet.plans_of(server.group) if server.group in fleet.servers else {}
        if plans:
            seen = times.get(server.incarnation, [])
            wanted = sorted(moment for name in plans for moment in due[name])
            rows.append(_row(server.name, plans, seen, wanted, days, now))
    return rows


def _times(arrivals: Iterable[Receipt]) -> dict[str, list[datetime]]:
    """When each snapshot arrived, by repository and in order; of two claims about one the earlier holds."""
    first: dict[tuple[str, str], datetime] = {}
    for each in arrivals:
        key = (each.repository, each.snapshot)
        first[key] = min(first.get(key, each.arrived_at), each.arrived_at)
    times: dict[str, list[datetime]] = {}
    for (repository, _), moment in sorted(first.items(), key=lambda item: item[1]):
        times.setdefault(repository, []).append(moment)
    return times


def _due(plan: BackupPlan, days: Sequence[date], now: datetime) -> list[datetime]:
    """When the plan was due; local days differ from days in UTC by one at most."""
    around = [days[0] - _DAY, *days, days[-1] + _DAY]
    moments = (
        moment
        for day in around
        if plan.cron.fires_on(day)
        for moment in plan.cron.instants(day, plan.timezone)
    )
    return [moment for moment in moments if moment <= now]


def _row(
    server: str,
    plans: Mapping[str, BackupPlan],
    seen: Sequence[datetime],
    due: Sequence[datetime],
    days: Sequence[date],
    now: datetime,
) -> BackupHistory:
    planned, arrived, worst = [], [], list[float | None]()
    for day in days:
        start = datetime.combine(day, time(), UTC)
        end = min(start + _DAY, now)
        known_from = min(max(start, seen[0]), end) if seen else end
        planned.append(bisect_left(due, end) - bisect_left(due, known_from))
        arrived.append(bisect_left(seen, end) - bisect_left(seen, start))
        worst.append(_worst_age(seen, known_from, end))
    return BackupHistory(
        server=server,
        plans=tuple(sorted(plans)),
        rpo_seconds=min(plan.rpo for plan in plans.values()).total_seconds(),
        first_day=days[0],
        planned=tuple(planned),
        arrived=tuple(arrived),
        worst_age_seconds=tuple(worst),
    )


def _worst_age(seen: Sequence[datetime], start: datetime, end: datetime) -> float | None:
    """How old the newest snapshot became between two moments; None where none had arrived."""
    first, last = bisect_left(seen, start), bisect_left(seen, end)
    if last == 0:
        return None
    before = seen[first - 1] if first else seen[0]
    worst, newest = timedelta(0), before
    for moment in [*seen[first:last], end]:
        worst, newest = max(worst, moment - newest), moment
    return round(worst.total_seconds(), 1)
