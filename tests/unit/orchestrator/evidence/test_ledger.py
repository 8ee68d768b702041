"""The ledger on a real file, also with several processes at once."""

from __future__ import annotations

import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.clock import Moment
from orchestrator.errors import InputError, ToolError
from orchestrator.evidence.ledger import SqliteLedger
from orchestrator.evidence.schema import VERSION
from orchestrator.file_lock import file_lock
from orchestrator.ports.backups import Receipt
from tests.fakes import NOON

RECEIPT = Receipt("r" * 32, "5a" * 32, NOON, 10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "steward.db"


@pytest.fixture
def ledger(path: Path) -> SqliteLedger:
    return SqliteLedger(path)


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


def test_the_file_is_private(ledger: SqliteLedger, path: Path) -> None:
    assert ledger.stack("acme-demo") is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_its_log_stays_while_it_is_open_for_a_full_disk_has_no_room_for_another(
    ledger: SqliteLedger, path: Path
) -> None:
    assert {each.name for each in path.parent.iterdir()} >= {f"{path.name}-wal", f"{path.name}-shm"}


def test_a_stack_is_found_again_by_another_process(ledger: SqliteLedger, path: Path) -> None:
    made = ledger.create_stack("acme-demo", "acme", NOON)
    assert SqliteLedger(path).stack("acme-demo") == made
    assert made.created_at == NOON


def test_stacks_of_a_client_share_its_id(ledger: SqliteLedger) -> None:
    demo, vault = (ledger.create_stack(name, "acme", NOON) for name in ("acme-demo", "acme-vault"))
    other = ledger.create_stack("zeta-demo", "zeta", NOON)
    assert demo.client_id == vault.client_id != other.client_id
    assert len({demo.id, vault.id, other.id, demo.client_id, other.client_id}) == 5


def test_a_name_that_is_used_again_gets_a_new_id_and_the_old_record_stays(
    ledger: SqliteLedger, path: Path
) -> None:
    first = ledger.create_stack("acme-demo", "acme", NOON)
    ledger.end_stack(first, NOON + timedelta(hours=1))
    assert ledger.stack("acme-demo") is None
    second = ledger.create_stack("acme-demo", "acme", NOON + timedelta(hours=2))
    assert second.id != first.id
    assert second.client_id == first.client_id
    assert ledger.stack("acme-demo") == second
    assert {row[0] for row in rows(path, "stacks")} == {first.id, second.id}


def test_two_living_stacks_of_one_name_are_impossible(ledger: SqliteLedger) -> None:
    made = ledger.create_stack("acme-demo", "acme", NOON)
    with pytest.raises(sqlite3.IntegrityError):
        ledger.create_stack("acme-demo", "acme", NOON)
    assert ledger.stack("acme-demo") == made


def test_a_receipt_stays_as_it_was_first_seen(ledger: SqliteLedger, path: Path) -> None:
    ledger.record_receipts("acme-demo", "RUN1", [RECEIPT])
    later = Receipt(RECEIPT.repository, RECEIPT.snapshot, NOON + timedelta(days=9), 99)
    fresh = Receipt(RECEIPT.repository, "6b" * 32, NOON, 20)
    ledger.record_receipts("acme-demo", "RUN2", [later, fresh, fresh])
    ledger.record_receipts("acme-demo", "RUN3", [])
    kept = {(row[1], row[2], row[3], row[5]) for row in rows(path, "receipts")}
    at = NOON.isoformat()
    assert kept == {(RECEIPT.snapshot, at, 10, "RUN1"), ("6b" * 32, at, 20, "RUN2")}


def test_first_sights_are_told_for_the_repositories_asked_for(ledger: SqliteLedger) -> None:
    other = Receipt("q" * 32, RECEIPT.snapshot, NOON + timedelta(hours=1), 10)
    ledger.record_receipts("acme-demo", "RUN1", [RECEIPT, other])
    again = Receipt(RECEIPT.repository, RECEIPT.snapshot, NOON + timedelta(days=9), 10)
    ledger.record_receipts("acme-demo", "RUN2", [again])
    assert ledger.first_seen([RECEIPT.repository]) == {(RECEIPT.repository, RECEIPT.snapshot): NOON}
    assert ledger.first_seen([]) == {}
    assert ledger.first_seen(["none"]) == {}
    assert len(ledger.first_seen([other.repository, RECEIPT.repository])) == 2


def test_runs_come_newest_first_and_say_how_they_ended(ledger: SqliteLedger) -> None:
    for number in range(3):
        ledger.begin_run(f"0{number}", "up", "acme-demo", Moment(NOON, 5.0, "boot"))
    ledger.begin_run("09", "plan", "acme-vault", Moment(NOON, 6.0, "boot"))
    ledger.end_run("01", 3, Moment(NOON + timedelta(minutes=1), 65.0, "boot"))
    found = ledger.last_runs("acme-demo", 2)
    assert [(run["id"], run["exit_code"]) for run in found] == [("02", None), ("01", 3)]
    assert found[1]["ended_at"] == (NOON + timedelta(minutes=1)).isoformat()
    assert found[1]["boot_id"] == "boot"
    assert [run["id"] for run in ledger.last_runs(None, 9)] == ["09", "02", "01", "00"]


def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(ledger: SqliteLedger, path: Path) -> None:
    ledger.create_stack("acme-demo", "acme", NOON)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE ledger_version SET version = ?", (VERSION + 1,))
    with pytest.raises(
        InputError, match=rf"newer Steward.*got version {VERSION + 1}\. Use that newer Steward"
    ):
        SqliteLedger(path)
    assert rows(path, "ledger_version") == [(VERSION + 1,)]
    assert len(rows(path, "stacks")) == 1


@pytest.mark.parametrize(
    "content",
    [b"not a database, but long enough to have a header" * 90, b"SQLite format 3\0" + b"\xff" * 5000],
)
def test_a_corrupt_file_is_refused_with_the_next_step_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read.*Restore it from your backup of STEWARD_HOME"):
        SqliteLedger(path)
    assert path.read_bytes() == content


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be read"):
        SqliteLedger(path)


def test_a_ledger_that_another_process_holds_is_told_as_that_and_not_as_broken(path: Path) -> None:
    """One that was stopped in the middle of a write; nobody may be told to restore a file that is well."""
    ledger = SqliteLedger(path, wait_seconds=0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ToolError, match=r"another process holds it.*fuser -v .*steward\.db"):
        ledger.create_stack("acme-demo", "acme", NOON)
    with pytest.raises(InputError, match=r"another process holds it.*then run this again"):
        SqliteLedger(path, wait_seconds=0.1)
    other.execute("ROLLBACK")
    other.close()
    with (
        file_lock(path.with_suffix(".lock"), 0),
        pytest.raises(InputError, match=r"another process holds it.*steward\.lock"),
    ):
        SqliteLedger(path, wait_seconds=0.1)
    ledger.create_stack("acme-demo", "acme", NOON)
    assert SqliteLedger(path).living_stacks() == ["acme-demo"]


def test_what_was_accepted_is_of_one_incarnation_and_said_once(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "steward.db")
    for run in ("01", "02"):
        ledger.accept("0d" * 16, "site", run, NOON)
    assert ledger.accepted(["0d" * 16, "0e" * 16]) == {("0d" * 16, "site")}
    assert ledger.accepted(["0e" * 16]) == set()
    assert rows(tmp_path / "steward.db", "acceptances") == [("0d" * 16, "site", "01", NOON.isoformat())]
