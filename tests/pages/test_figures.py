"""What a report may cost: each run writes one, and a thousand servers must not be a reason to wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.report import LIMITS, in_a_fresh_process


@pytest.mark.parametrize(("case", "rows"), [("demo", 20), ("thousand", 500)])
def test_a_report_is_written_in_time_and_size(case: str, rows: int, tmp_path: Path) -> None:
    in_a_fresh_process("demo", tmp_path, 1)  # compiles the templates, as the first run on a machine does
    seconds, size = LIMITS[case]
    # A tenth of a second is a figure for a quiet machine (the benchmark holds it); tests share theirs, and
    # processor time grows, too, where many compete for it: it is enough if one of three tries is in time.
    for _ in range(3):
        found = in_a_fresh_process(case, tmp_path, rows)
        if found["cpu_seconds"] < max(seconds, 0.5):
            break
    assert found["cpu_seconds"] < max(seconds, 0.5), found
    assert found["html_bytes"] < size, found
    assert found["markdown_bytes"] < 65_536, "comment fields refuse more"
