"""Is the newest proven snapshot younger than its RPO: by what the store saw, to the second."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.backups.documents import BackupStatus, read_document
from orchestrator.backups.freshness import by_snapshot, is_due, judge, newest_first
from orchestrator.ports import Receipt
from orchestrator.reporting.model import Backup, Verdict
from tests.fakes import NOON
from tests.unit.orchestrator.samples import SNAPSHOT, backup_run, backup_status, fleet

PLAN = fleet().backups["databases"]  # RPO two hours
OTHER = "bb" * 32


def verdict(
    *,
    age: timedelta | None = None,
    snapshot: str | None = SNAPSHOT,
    last: dict[str, Any] | None = None,
    reported: bool = True,
    plan: str = "databases",
    repository: str = "db",
) -> Backup:
    """The row for a snapshot that arrived `age` ago (None: the store has none) and what the host reports."""
    good = backup_run(plan, NOON, snapshot=snapshot, run="RUN") if reported else None
    status = read_document(BackupStatus, backup_status((plan, last or good, good)), "db-1")
    receipts = [Receipt("db", SNAPSHOT, NOON - age, 10)] if age is not None else []
    return judge("databases", PLAN, "db-1", repository, status, by_snapshot(receipts), NOON, "RUN")


@pytest.mark.parametrize(
    ("age", "wanted"),
    [
        (timedelta(0), Verdict.PASS),
        (timedelta(hours=2) - timedelta(seconds=1), Verdict.PASS),
        (timedelta(hours=2), Verdict.PASS),
        (timedelta(hours=2, microseconds=1), Verdict.FAIL),
        (timedelta(days=400), Verdict.FAIL),
        (-timedelta(minutes=2), Verdict.PASS),
        (-timedelta(minutes=2, microseconds=1), Verdict.UNKNOWN),
        (-timedelta(days=1), Verdict.UNKNOWN),
    ],
)
def test_age_is_judged_at_its_very_limits(age: timedelta, wanted: Verdict) -> None:
    row = verdict(age=age)
    assert row.verdict is wanted
    assert row.age_seconds == max(0.0, age.total_seconds())
    assert is_due(row) is (wanted is not Verdict.PASS)


def test_never() -> None:
    row = verdict(reported=False)
    assert (row.verdict, row.message, row.age_seconds) == (Verdict.FAIL, "no backup was taken yet", None)


def test_a_snapshot_that_the_store_never_saw_is_a_forgery() -> None:
    row = verdict(age=None)
    assert row.verdict is Verdict.FAIL
    assert "never saw arrive" in row.message
    assert row.arrived_at is None


@pytest.mark.parametrize("snapshot", [OTHER, None])
def test_the_stores_other_snapshots_do_not_help_a_forger(snapshot: str | None) -> None:
    assert verdict(age=timedelta(0), snapshot=snapshot).verdict is Verdict.FAIL


def test_a_snapshot_in_somebody_elses_repository_proves_nothing() -> None:
    assert verdict(age=timedelta(0), repository="web").verdict is Verdict.FAIL


def test_what_a_host_says_of_another_plan_proves_nothing() -> None:
    assert verdict(age=timedelta(0), plan="site").verdict is Verdict.FAIL


def test_a_silent_host_is_unknown_and_due() -> None:
    row = judge("databases", PLAN, "db-1", "db", None, {}, NOON, "RUN")
    assert (row.verdict, row.message) == (Verdict.UNKNOWN, "the host could not be asked")
    assert is_due(row)


def test_a_failed_attempt_is_told_while_an_older_snapshot_is_young_enough() -> None:
    failed = backup_run("databases", NOON, ok=False, snapshot=None, error="disk full")
    row = verdict(age=timedelta(hours=1), last=failed)
    assert (row.verdict, row.message) == (Verdict.PASS, "the last attempt failed: disk full")


def test_whose_snapshot_it_is_is_known() -> None:
    assert verdict(age=timedelta(0)).taken_in_this_run


def test_what_is_wrong_comes_first() -> None:
    rows = [verdict(age=timedelta(0)), verdict(age=timedelta(days=-1)), verdict(age=timedelta(days=1))]
    assert [row.verdict for row in newest_first(rows)] == [Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS]
