"""Days against schedule and RPO, by what the vault saw."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.backups.calendar import DAYS, calendar
from orchestrator.ports.backups import Receipt
from orchestrator.reporting.seen import BackupHistory
from tests.fakes import NOON
from tests.unit.orchestrator.samples import fleet, outputs, server

WEB = server("web-1")


def arrival(at: datetime, snapshot: str = "") -> Receipt:
    return Receipt(WEB.incarnation, snapshot or at.isoformat(), at, 1)


def of_web(*arrivals: Receipt, now: datetime = NOON) -> BackupHistory:
    [row] = calendar(fleet(), [WEB], arrivals, now)
    return row


def nightly(days: int) -> list[datetime]:
    """02:31 UTC on each of the last days, oldest first."""
    last = NOON.replace(hour=2, minute=31)
    return [last - timedelta(days=back) for back in reversed(range(days))]


def test_a_night_without_a_backup_is_a_gap_on_the_days_on_which_the_rpo_was_missed() -> None:
    nights = nightly(10)
    row = of_web(*(arrival(at) for at in nights if at != nights[5]))
    assert len(row.arrived) == len(row.planned) == len(row.worst_age_seconds) == DAYS
    assert row.arrived[-10:] == (1, 1, 1, 1, 1, 0, 1, 1, 1, 1)
    assert row.planned[-9:] == (1,) * 9
    missed = [age is not None and age > row.rpo_seconds for age in row.worst_age_seconds]
    assert missed[-10:] == [False] * 5 + [True, True] + [False] * 3
    assert row.worst_age_seconds[-5:-3] == (163_740.0, 172_800.0)


def test_nothing_is_said_of_days_before_the_first_arrival() -> None:
    row = of_web(*map(arrival, nightly(3)))
    assert row.worst_age_seconds[: DAYS - 3] == (None,) * (DAYS - 3)
    assert sum(row.planned[: DAYS - 3]) == 0
    assert of_web().worst_age_seconds == (None,) * DAYS


def test_today_is_counted_up_to_now() -> None:
    row = of_web(*map(arrival, nightly(2)), now=NOON)
    assert row.worst_age_seconds[-1] == 86400.0
    assert of_web(*map(arrival, nightly(2)[:1]), now=NOON).worst_age_seconds[-1] == 120_540.0


def test_a_snapshot_that_is_seen_twice_counts_once_at_its_first_sight() -> None:
    first, again = NOON - timedelta(hours=9), NOON - timedelta(hours=1)
    row = of_web(arrival(first, "a"), arrival(again, "a"))
    assert sum(row.arrived) == 1
    assert row.worst_age_seconds[-1] == 9 * 3600.0


def test_every_server_with_a_plan_has_a_row_and_receipts_of_others_are_not_its_own() -> None:
    rows = calendar(fleet(), outputs().servers, [arrival(NOON - timedelta(hours=1))], NOON)
    assert [(row.server, row.plans, sum(row.arrived)) for row in rows] == [
        ("web-1", ("site",), 1), ("web-2", ("site",), 0), ("db-1", ("databases",), 0),
    ]  # fmt: skip
