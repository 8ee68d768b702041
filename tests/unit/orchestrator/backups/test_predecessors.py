"""Which data went with a server, by what the vault holds of the servers before it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from orchestrator.backups.credentials import make_credentials
from orchestrator.backups.documents import Snapshot
from orchestrator.backups.freshness import Evidence, judge
from orchestrator.backups.predecessors import (
    Earlier,
    Losses,
    Predecessor,
    earlier_snapshots,
    marked,
    owned,
    predecessors,
    unrestored,
)
from orchestrator.ports.backups import Receipt
from orchestrator.reporting.findings import collect
from orchestrator.reporting.model import Verdict
from tests.fakes import NOON
from tests.unit.orchestrator.samples import backup_run, backup_status, fleet, server

WEB, DB = server("web-1"), server("db-1")
OLD = "0d" * 16
HOUR = timedelta(hours=1)


def earlier(name: str, plan: str, *hours_ago: int) -> list[Earlier]:
    arrivals = {f"{number:064x}": NOON - ago * HOUR for number, ago in enumerate(hours_ago, 1)}
    listed = [Snapshot(id=each, time=at, plan=plan) for each, at in arrivals.items()]
    return earlier_snapshots(Predecessor(name, OLD, "vault", arrivals), listed)


def test_a_repository_of_the_stack_that_no_server_writes_to_is_a_predecessors() -> None:
    known = [
        make_credentials(OLD, "web-1", "acme-demo", "acme-vault", NOON),
        make_credentials(WEB.incarnation, "web-1", "acme-demo", "acme-vault", NOON),
        make_credentials("0e" * 16, "web-1", "globex-demo", "acme-vault", NOON),
        make_credentials("0f" * 16, "web-9", "acme-demo", "acme-vault", NOON),
    ]
    left = owned("acme-demo", known, {"web-1": WEB.incarnation})
    assert [each.id for each in left] == [OLD, "0f" * 16]
    (found,) = predecessors(
        left, "vault", [Receipt(OLD, "a" * 64, NOON, 1), Receipt("0e" * 16, "b" * 64, NOON, 1)]
    )
    assert (found.server, found.repository, found.arrivals) == ("web-1", OLD, {"a" * 64: NOON})


def test_a_snapshot_that_the_vault_never_saw_arrive_is_left_out() -> None:
    of = Predecessor("web-1", OLD, "vault", {"a" * 64: NOON})
    found = earlier_snapshots(of, [Snapshot(id=each * 64, time=NOON, plan="site") for each in "ab"])
    assert [(each.snapshot.id, each.snapshot.repository, each.snapshot.earlier) for each in found] == [
        ("a" * 64, OLD, True)
    ]


def test_data_on_the_disk_of_a_lost_server_are_not_restored_until_somebody_says_so() -> None:
    left = earlier("web-1", "site", 5, 3)
    lost = unrestored(fleet(), [WEB, DB], left, set(), {})
    assert set(lost) == {("site", "web-1")}
    assert (lost["site", "web-1"].snapshots, lost["site", "web-1"].newest_at) == (2, NOON - 3 * HOUR)
    assert unrestored(fleet(), [WEB, DB], left, {(WEB.incarnation, "site")}, {}) == {}


@pytest.mark.parametrize(("made", "missing"), [(NOON - 9 * HOUR, False), (NOON - HOUR, True), (None, True)])
def test_data_on_a_volume_that_outlived_the_server_are_not_lost(made: datetime | None, missing: bool) -> None:
    volumes = {"db-1-data": made} if made else {}
    lost = unrestored(fleet(), [DB], earlier("db-1", "databases", 3), set(), volumes)
    assert (("databases", "db-1") in lost) is missing


def test_a_young_snapshot_of_a_server_that_began_empty_is_not_good() -> None:
    good = backup_run("site", NOON)
    receipts = {(WEB.incarnation, good["snapshot"]): Receipt(WEB.incarnation, good["snapshot"], NOON, 1)}
    from orchestrator.backups.documents import BackupStatus

    status = BackupStatus.model_validate_json(backup_status(("site", good, good)))
    row = judge(
        "site", fleet().backups["site"], "web-1", WEB.incarnation, status, Evidence(receipts, NOON, "R")
    )
    assert row.verdict is Verdict.PASS
    lost = unrestored(fleet(), [WEB], earlier("web-1", "site", 5, 3), set(), {})
    (bad,) = marked([row], Losses(lost))
    assert bad.verdict is Verdict.FAIL
    assert bad.message == (
        "the server is new and empty: 2 snapshots of its predecessor lie in the vault, newest "
        "2026-11-22 09:00:00 UTC, and none was put back"
    )
    (finding,) = collect([], [], [bad], [], [], fleet_file="shop.yaml")
    assert (finding.severity, finding.blocking, finding.subject) == ("critical", True, "site/web-1")
    assert finding.fix == (
        "steward backup restore --fleet shop.yaml --host web-1 --plan site --snapshot 00000000 "
        "--target /var/lib/steward/restore/site-00000000"
    )
    (doubtful,) = marked([row], Losses(unread={"web-1": "garbage"}))
    assert (doubtful.verdict, doubtful.message) == (
        Verdict.UNKNOWN, "what its predecessors left in the vault cannot be read: garbage"
    )  # fmt: skip
