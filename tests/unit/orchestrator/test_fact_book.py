"""Facts are kept with their run, and earlier ones of the very same server are found."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.fact_book import RunFacts
from orchestrator.ports.hosts import HostFacts
from orchestrator.settings import Settings
from tests.fakes import NOON, FixedClock
from tests.unit.orchestrator.samples import server

RUNS = [f"R{number}" for number in range(9, -1, -1)]


def book(home: Path, run: str = "R9") -> RunFacts:
    return RunFacts(Settings(home, home, home), run, lambda: RUNS, FixedClock())


def document(at: datetime, incarnation: str = server("web-1").incarnation) -> dict[str, object]:
    return {
        "schema": "steward.host-facts/1",
        "host": "web-1",
        "incarnation": incarnation,
        "collected_at": at.isoformat(),
        "upgrades": {"offers": []},
        "packages": ["much"],
    }


def keep(home: Path, run: str, at: datetime, **changed: str) -> None:
    book(home, run).keep([HostFacts("web-1", document(at, **changed))])


def test_documents_lie_in_the_folder_of_the_run_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    keep(tmp_path, "R9", NOON)
    path = tmp_path / "runs" / "R9" / "facts" / "web-1.json"
    assert json.loads(path.read_text()) == document(NOON)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_last_of_each_earlier_day_is_found_without_what_nobody_compares(tmp_path: Path) -> None:
    for run, hours in (("R9", 0), ("R8", 1), ("R7", 25), ("R6", 26), ("R5", 49)):
        keep(tmp_path, run, NOON - timedelta(hours=hours))
    found = book(tmp_path).earlier([server("web-1"), server("db-1")])
    ages = [NOON - datetime.fromisoformat(str(each["collected_at"])) for each in found]
    assert ages == [timedelta(hours=hours) for hours in (1, 25, 49)]
    assert set(found[0]) == {"schema", "host", "collected_at", "upgrades"}


def test_another_server_of_the_name_and_what_is_older_than_a_month_do_not_count(tmp_path: Path) -> None:
    keep(tmp_path, "R8", NOON - timedelta(days=1))
    keep(tmp_path, "R7", NOON - timedelta(days=31))
    assert len(book(tmp_path).earlier([server("web-1")])) == 1
    keep(tmp_path, "R8", NOON - timedelta(days=1), incarnation="0" * 32)
    assert book(tmp_path).earlier([server("web-1")]) == []


def test_a_document_that_cannot_be_read_hides_no_older_one(tmp_path: Path) -> None:
    keep(tmp_path, "R7", NOON - timedelta(days=2))
    keep(tmp_path, "R8", NOON - timedelta(days=1))
    (tmp_path / "runs" / "R8" / "facts" / "web-1.json").write_text('{"cut off')
    assert len(book(tmp_path).earlier([server("web-1")])) == 1
