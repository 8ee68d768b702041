"""The tables of an auditor's bundle, each from the documents of the chain."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

from orchestrator.evidence.bundle import export
from tests.unit.orchestrator.evidence.chains import Bench
from tests.unit.orchestrator.evidence.quarters import Q4, unpacked


def table(folder: Path, name: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader((folder / "tables" / f"{name}.csv").open(newline="")))
    known = json.loads((folder / "tables" / f"{name}.json").read_text())
    assert len(rows) == len(known)
    return rows


def test_evaluations_due_are_held_against_those_done(folder: Path) -> None:
    rows = table(folder, "evaluations")
    assert [(row["run"][0], row["due"], row["done"], row["unknown"], row["note"]) for row in rows] == [
        ("a", "2", "2", "0", ""),
        ("b", "2", "2", "0", ""),
        ("k", "2", "0", "0", "killed before it could judge; as many are due as in record 3"),
        ("c", "2", "1", "1", ""),
    ]
    days = {row["day"]: row["done"] for row in table(folder, "evaluation_days")}
    assert list(days.items())[:3] == [("2026-11-23", "1"), ("2026-11-24", "1"), ("2026-11-25", "1")]
    assert "2026-11-26" not in days, "what lies after the last record was not due yet"


def test_the_time_to_fix_is_from_report_to_report(folder: Path) -> None:
    (row,) = table(folder, "time_to_fix")
    assert (row["rule"], row["subject"], row["how"], row["days"]) == (
        "network.ssh",
        "urn:web",
        "fixed",
        "2.0",
    )
    summary = {row["severity"]: row for row in table(folder, "time_to_fix_summary")}
    assert (summary["high"]["fixed"], summary["high"]["median_days"]) == ("1", "2.0")
    assert summary["critical"]["found"] == "0"


def test_access_a_person_over_time(folder: Path) -> None:
    rows = {(row["person"], row["how"]): row for row in table(folder, "access")}
    assert rows["ann", "key SHA256:ann as root"]["times_seen"] == "2"
    gone = rows["'=cmd()", "key SHA256:=cmd() as root"]
    assert gone["gone_by"], "a key that was there and is not any more"
    assert ("root", "account") in rows
    assert not any(person == "www" for person, _ in rows), "an account without a shell lets nobody in"
    assert rows["alice@ci", "ran steward"]["times_seen"] == "3"


def test_reviews_of_every_report(folder: Path) -> None:
    rows = {row["run"][0]: row for row in table(folder, "reviews")}
    assert [rows[name]["decision"] for name in "abc"] == ["not reviewed", "not reviewed", "accepted"]
    assert rows["c"]["note"] == 'all "good"'


def test_the_sample_is_the_same_for_the_same_seed(bench: Bench, tmp_path: Path) -> None:
    runs = {}
    for place, seed in enumerate(("one", "one", "two", "three")):
        made = export(bench.folder, Q4, seed=seed, sample=2)
        folder = unpacked(made, tmp_path / f"out{place}")
        rows = table(folder, "sample")
        runs[place] = [row["run"] for row in rows]
        order = hashlib.sha256(f"{seed}:{rows[0]['record_sha256']}".encode()).hexdigest()
        assert rows[0]["order"] == order
        assert f"`{seed}`" in (folder / "README.md").read_text()
    assert runs[0] == runs[1]
    assert len({tuple(each) for each in runs.values()}) > 1
    assert export(bench.folder, Q4).seed == bench.records()[-1].sha256
