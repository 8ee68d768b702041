"""The table for spreadsheets: every answer a row, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from orchestrator.reporting.csv import COLUMNS, to_csv
from orchestrator.reporting.escape import csv_cell
from tests.unit.reporting.sample import failing
from tests.unit.reporting.test_hostile import hostile

CASES: dict[str, str] = json.loads((Path(__file__).parent / "hostile.json").read_text(encoding="utf-8"))
RUN_BY_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def test_every_finding_check_and_policy_result_is_a_row() -> None:
    report = failing()
    rows = read(to_csv(report))
    counts = {what: sum(row["what"] == what for row in rows) for what in ("finding", "check", "policy")}
    assert counts == {
        "finding": len(report.findings),
        "check": len(report.checks),
        "policy": len(report.policies),
    }
    assert {row["state"] for row in rows if row["what"] == "check"} == {
        c.verdict.value for c in report.checks
    }
    assert {row["subject"] for row in rows if row["what"] == "policy"} == {p.subject for p in report.policies}
    first = report.findings[0]
    assert (rows[0]["subject"], rows[0]["severity"], rows[0]["fix"]) == (
        first.subject,
        first.severity,
        first.fix,
    )


@pytest.mark.parametrize("poison", CASES.values(), ids=CASES.keys())
def test_no_cell_acts_and_none_breaks_the_table(poison: str) -> None:
    rows = read(to_csv(hostile(poison)))
    assert rows
    for row in rows:
        assert list(row) == list(COLUMNS)
        assert not any(value.lstrip(" ").startswith(RUN_BY_A_SPREADSHEET) for value in row.values()), row


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1", '=cmd|"/C calc"!A0'])  # noqa: RUF001
def test_what_would_be_a_formula_is_text(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "web-1", "a=b", "1 - 2", "ops@acme.example"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert csv_cell(text) == text
