"""Many processes open one ledger and write at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.evidence.schema import VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "steward.db"


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


def test_many_processes_open_and_write_at_once(path: Path) -> None:
    script = f"""
import sys
from datetime import datetime, UTC
from pathlib import Path
from orchestrator.clock import Moment
from orchestrator.evidence.ledger import SqliteLedger
from orchestrator.ports.backups import Receipt
me = sys.argv[1]
print("loaded", flush=True)
sys.stdin.readline()
ledger = SqliteLedger(Path({str(path)!r}))
now = datetime.now(UTC)
ledger.create_stack("acme-" + me, "acme", now)
for number in range(20):
    ledger.begin_run(f"{{me}}-{{number:02d}}", "up", "acme-" + me, Moment(now, 0.0, "b"))
    ledger.record_receipts("acme-" + me, me, [Receipt("r", f"{{number}}", now, 1)])
    ledger.end_run(f"{{me}}-{{number:02d}}", 0, Moment(now, 0.0, "b"))
"""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(n)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for n in range(4)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == b"loaded\n"
    for process in started:  # now all open the new file at the same time
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 4, errors
    assert len(rows(path, "runs")) == 80
    assert len(rows(path, "receipts")) == 20
    assert len(rows(path, "clients")) == 1
    assert rows(path, "ledger_version") == [(VERSION,)]
