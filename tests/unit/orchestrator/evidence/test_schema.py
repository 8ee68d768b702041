"""Each older version of the ledger, as SQL, comes to the same tables as a new one, and loses nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orchestrator.evidence import schema
from orchestrator.evidence.database import Database
from orchestrator.evidence.ledger import SqliteLedger
from orchestrator.evidence.schema import MIGRATIONS, VERSION, migrate

VERSIONS = Path(__file__).parent / "versions"


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Columns by table, and indexes, without the words that only a later ALTER leaves."""
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
        indexes = connection.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'")
        found["indexes"] = sorted(indexes.fetchall(), key=str)
    return {name: sorted((row[1:] for row in rows), key=str) for name, rows in found.items()}


def restore(version: int, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript((VERSIONS / f"{version}.sql").read_text())


def test_every_version_has_its_sql_and_a_way_to_it() -> None:
    assert sorted(int(path.stem) for path in VERSIONS.glob("*.sql")) == list(range(1, VERSION + 1))
    assert sorted(MIGRATIONS) == list(range(2, VERSION + 1))


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_a_ledger_of_each_version_opens_and_keeps_its_rows(version: int, tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    restore(version, old)
    SqliteLedger(new)
    found = SqliteLedger(old)
    assert tables(old) == tables(new)
    stack = found.stack("acme-demo")
    assert stack is not None
    assert (stack.id, stack.client) == ("5" * 32, "acme")
    assert [run["exit_code"] for run in found.last_runs("acme-demo", 9)] == [3, 0]
    assert len(list((tmp_path / "backups").glob(f"old-v{version}-*.db"))) == (version < VERSION)


def test_a_migration_happens_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restore(VERSION, tmp_path / "old.db")
    monkeypatch.setattr(schema, "VERSION", VERSION + 1)
    database = Database(tmp_path / "old.db", wait_seconds=1)

    def killed(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE runs ADD COLUMN further TEXT")
        connection.execute("UPDATE runs SET further = 'x'")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(database, {VERSION + 1: killed})
    before = tables(tmp_path / "old.db")
    assert "further" not in str(before["runs"])

    migrate(database, {VERSION + 1: lambda it: it.execute("ALTER TABLE runs ADD COLUMN further TEXT")})
    assert "further" in str(tables(tmp_path / "old.db")["runs"])
    with sqlite3.connect(tmp_path / "old.db") as connection:
        assert connection.execute("SELECT version FROM ledger_version").fetchall() == [(VERSION + 1,)]
