"""Periods by their names."""

from __future__ import annotations

from datetime import UTC

import pytest

from orchestrator.errors import InputError
from orchestrator.evidence.period import read_period


@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-Q4", "2026-10-01", "2027-01-01"),
        ("2026-02", "2026-02-01", "2026-03-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-11-03..2026-11-30", "2026-11-03", "2026-12-01"),
    ],
)
def test_periods_begin_and_end_at_midnight(name: str, begin: str, end: str) -> None:
    period = read_period(name)
    assert (period.begin.date().isoformat(), period.end.date().isoformat()) == (begin, end)
    assert period.begin.tzinfo is UTC


@pytest.mark.parametrize("name", ["", "Q4", "2026-Q5", "2026-13", "2026-11-30..2026-11-03", "2026-02-30..x"])
def test_what_is_no_period_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="period"):
        read_period(name)
