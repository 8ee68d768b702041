"""The index over all runs: its rows, its trends, its file, and that it works at many runs."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from time import perf_counter

import pytest

from orchestrator.reporting.history import merged, read_rows, row_of, unreported
from orchestrator.reporting.index import summary, to_index
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.trend import trends
from orchestrator.reporting.write import ROWS, known_rows, write, write_index
from tests.unit.reporting import sample
from tests.unit.reporting.test_formats import parsed

KILLED = {"id": "01JD9", "verb": "up", "started_at": "2026-11-22T05:00:00+00:00",
          "ended_at": "2026-11-22T06:00:00+00:00", "exit_code": 3}  # fmt: skip


def test_a_row_says_what_the_report_says() -> None:
    row = row_of(sample.failing())
    assert (row.tone, row.exit_code, row.servers, row.backups) == (Tone.BAD, 3, (0, 3), (1, 3))
    assert sum(row.findings.values()) == len(sample.failing().findings)
    assert row_of(sample.demo()).looks == {"shop": (2, 2)}
    assert row_of(sample.demo()).newest_backup_age_seconds == 4.0


def test_rows_survive_their_file_and_a_broken_one_is_made_anew_from_the_reports(tmp_path: Path) -> None:
    runs, history = tmp_path / "runs", tmp_path / "history"
    report = sample.demo(stack_id="a" * 32)
    write(report, runs / report.run)
    page = write_index("acme-demo", history, [], [row_of(report)])
    assert read_rows(history / ROWS) == [row_of(report)]
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    (history / ROWS).write_text('{"half a')
    assert known_rows(history, runs, "acme-demo", "a" * 32) == [row_of(report)]
    (history / ROWS).unlink()
    assert known_rows(history, runs, "acme-demo", "b" * 32) == [], "a reused name inherits nothing"


def test_a_run_that_left_no_report_is_listed_and_never_replaces_one_that_did() -> None:
    killed = unreported(KILLED)
    assert (killed.tone, killed.headline, killed.duration_seconds) == (Tone.UNKNOWN, "No report", None)
    report = row_of(sample.demo(run="01JD9"))
    assert merged([report], [killed]) == [report]
    assert merged([killed], [report]) == [report]
    page = to_index("acme-demo", [killed])
    assert "No report" in page
    assert "report.html" not in page


def test_the_page_links_each_report_and_loads_nothing() -> None:
    text = to_index("acme-demo", [sample.row(i) for i in range(30)])
    page = parsed(text)
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    assert len([link for link in links if link.startswith("../../runs/01JD")]) == 30
    assert {"script", "img", "link", "iframe"}.isdisjoint(tag for tag, _ in page.tags)
    assert "default-src &#39;none&#39;; style-src &#39;sha256-" in text
    assert len(page.ids) == len(set(page.ids))


def test_every_filter_of_the_page_is_in_the_stylesheet() -> None:
    text = to_index("acme-demo", [sample.row(i) for i in range(30)])
    ids = set(re.findall(r'id="((?:standing|verb|only)-[a-z]+)"', text)) - {"standing-any", "verb-any"}
    assert len(ids) >= 6
    assert all(f"main:has(#{name}:checked) tbody tr:not(" in text for name in ids)


def test_trends_have_the_figures_of_the_runs() -> None:
    by_title = {trend.title: trend for trend in trends([sample.row(i) for i in range(100)])}
    assert by_title["Restore"].newest == "26 s"
    assert len(by_title["Duration of up"].points) == 40
    for trend in by_title.values():
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in trend.points)
    assert [trend.newest for trend in trends([])] == ["none yet"] * 4


@pytest.mark.parametrize("count", [0, 1])
def test_few_runs_are_told_as_they_are(count: int) -> None:
    rows = [sample.row(i) for i in range(count)]
    assert summary("acme-demo", rows).startswith("acme-demo had " + ("no run yet" if not count else "1 run"))
    parsed(to_index("acme-demo", rows))


def test_five_hundred_runs_are_one_page_of_a_moment() -> None:
    rows = [sample.row(i) for i in range(500)]
    to_index("acme-demo", rows[:1])
    began = perf_counter()
    page = to_index("acme-demo", rows)
    assert perf_counter() - began < 1.0
    assert len(page) < 1_000_000
    assert page.count('<tr role="row" class=') == 500
