"""Is the newest proven snapshot younger than its RPO: by what the store saw, to the second."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.backups.documents import BackupStatus, read_document
from orchestrator.backups.freshness import Evidence, by_snapshot, is_due, judge, newest_first
from orchestrator.ports.backups import Receipt
from orchestrator.reporting.model import Backup, Verdict
from tests.fakes import NOON
from tests.unit.orchestrator.samples import PLAN_IDS, SNAPSHOT, backup_run, backup_status, fleet

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
    good: dict[str, Any] | None = None,
    first: datetime | None = None,
    beside: tuple[tuple[str, dict[str, Any] | None, dict[str, Any] | None], ...] = (),
    timer: bool = True,
) -> Backup:
    """The row for a snapshot that arrived `age` ago (None: the store has none) and what the host reports."""
    done = backup_run(plan, NOON, snapshot=snapshot, run="RUN") | (good or {})
    said = json.loads(backup_status((plan, last or done, done if reported else None), *beside))
    said["plans"][0]["timer"]["enabled"] = timer
    status = read_document(BackupStatus, json.dumps(said), "db-1")
    receipts = [Receipt("db", SNAPSHOT, NOON - age, 10)] if age is not None else []
    seen = {("db", SNAPSHOT): first} if first else {}
    evidence = Evidence(by_snapshot(receipts), NOON, "RUN", PLAN_IDS, seen)
    return judge("databases", PLAN, "db-1", repository, status, evidence)


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
    row = judge("databases", PLAN, "db-1", "db", None, Evidence({}, NOON, "RUN"))
    assert (row.verdict, row.message) == (Verdict.UNKNOWN, "the host could not be asked")
    assert is_due(row)


def test_a_failed_attempt_is_told_while_an_older_snapshot_is_young_enough() -> None:
    failed = backup_run("databases", NOON, ok=False, snapshot=None, error="disk full")
    row = verdict(age=timedelta(hours=1), last=failed)
    assert (row.verdict, row.message) == (Verdict.PASS, "the last attempt failed: disk full")


@pytest.mark.parametrize("good", [{"plan": "site"}, {"plan_id": "ff" * 16}, {"plan_id": ""}])
def test_another_plans_snapshot_proves_nothing(good: dict[str, Any]) -> None:
    row = verdict(age=timedelta(0), good=good)
    assert row.verdict is Verdict.FAIL
    assert "another plan's" in row.message
    assert is_due(row)


def test_a_plan_without_an_id_yet_is_known_by_its_name() -> None:
    status = read_document(
        BackupStatus, backup_status(("databases", None, backup_run("databases", NOON))), "db-1"
    )
    known = Evidence(by_snapshot([Receipt("db", SNAPSHOT, NOON, 10)]), NOON, "RUN")
    assert judge("databases", PLAN, "db-1", "db", status, known).verdict is Verdict.PASS


@pytest.mark.parametrize("other", ["site", "databases"])
def test_a_snapshot_that_two_plans_claim_is_neithers(other: str) -> None:
    row = verdict(age=timedelta(0), beside=((other, None, backup_run(other, NOON)),))
    assert (row.verdict, row.message) == (Verdict.FAIL, "two plans of the host claim the same snapshot")
    apart = verdict(age=timedelta(0), beside=(("site", None, backup_run("site", NOON, snapshot=OTHER)),))
    assert apart.verdict is Verdict.PASS


def test_a_timer_that_is_off_is_a_failure() -> None:
    row = verdict(age=timedelta(0), timer=False)
    assert (row.verdict, row.message) == (Verdict.FAIL, "its timer is not enabled")


@pytest.mark.parametrize(
    ("good", "message"),
    [
        ({"databases": []}, "does not hold shop"),
        ({"databases": ["shop", "old"]}, "holds old, which the plan does not name"),
        ({"paths": ["/srv"]}, "holds /srv, which the plan does not name"),
        ({"databases": ["old"]}, "does not hold shop; holds old, which the plan does not name"),
    ],
)
def test_a_snapshot_from_before_the_plan_was_edited_is_due(good: dict[str, Any], message: str) -> None:
    row = verdict(age=timedelta(0), good=good)
    assert (row.verdict, row.message) == (Verdict.FAIL, message)
    assert row.arrived_at == NOON
    assert is_due(row)


def test_the_staging_folder_is_no_path_of_the_plan() -> None:
    staging = "/var/lib/steward/backup/databases/staging"
    assert verdict(age=timedelta(0), good={"paths": [staging]}).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("first", "store", "wanted", "age"),
    [
        (timedelta(hours=3), timedelta(0), Verdict.UNKNOWN, timedelta(hours=3)),
        (timedelta(minutes=2, microseconds=1), timedelta(0), Verdict.UNKNOWN, None),
        (timedelta(minutes=2), timedelta(0), Verdict.PASS, timedelta(minutes=2)),
        (timedelta(0), timedelta(hours=3), Verdict.FAIL, timedelta(hours=3)),
    ],
)
def test_the_older_of_the_stores_time_and_the_first_sight_counts(
    first: timedelta, store: timedelta, wanted: Verdict, age: timedelta | None
) -> None:
    row = verdict(age=store, first=NOON - first)
    assert row.verdict is wanted
    assert row.age_seconds == (age or first).total_seconds()
    assert ("the vault changed the arrival time" in row.message) is (wanted is Verdict.UNKNOWN)


def test_whose_snapshot_it_is_is_known() -> None:
    assert verdict(age=timedelta(0)).taken_in_this_run


def test_what_is_wrong_comes_first() -> None:
    rows = [verdict(age=timedelta(0)), verdict(age=timedelta(days=-1)), verdict(age=timedelta(days=1))]
    assert [row.verdict for row in newest_first(rows)] == [Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS]
