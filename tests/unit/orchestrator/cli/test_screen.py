"""Lines of the live view at every width and height."""

from __future__ import annotations

import pytest

from orchestrator.cli.screen import clock, host_lines, remaining, step_line
from orchestrator.progress import HostProgress
from orchestrator.reporting.columns import columns


def hosts(*made: HostProgress) -> dict[str, HostProgress]:
    return {host.name: host for host in made}


WEB = HostProgress("web-1", "working", 20, 3, "nginx : Install packages")
DB = HostProgress("database-1", "failed", 5, 1, "postgresql : Make databases")
DONE = HostProgress("web-2", "done", 41, 7)


def test_failed_hosts_come_first_and_bars_follow_the_last_converge() -> None:
    lines = host_lines(hosts(WEB, DB, DONE), {"web-1": 40, "database-1": 60}.get, 100, 10)
    assert [state for state, _ in lines] == ["failed", "working", "done"]
    assert lines[0][1] == "  ✗ database-1  ━───────────       5/60  postgresql : Make databases"
    assert lines[1][1] == "  · web-1       ━━━━━━──────      20/40  nginx : Install packages"
    assert lines[2][1] == "  ✓ web-2       ━━━━━━━━━━━━   41 tasks  7 changed"


def test_without_an_earlier_converge_the_whole_is_not_known() -> None:
    ((_, line),) = host_lines(hosts(WEB), lambda _: None, 100, 10)
    assert "20 tasks" in line
    assert "╌" in line
    ((_, past),) = host_lines(hosts(WEB), lambda _: 19, 100, 10)
    assert "20 tasks" in past


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 200])
def test_no_line_is_wider_than_the_window(width: int) -> None:
    for _, line in host_lines(hosts(WEB, DB, DONE), lambda _: 60, width, 3):
        assert columns(line) <= width
    assert columns(step_line("configure", 61.0, 200.0, "ünïcode 表 " * 40, width)) <= width


def test_what_does_not_fit_is_counted() -> None:
    many = {f"web-{n}": HostProgress(f"web-{n}", "done" if n > 3 else "working", n, 0) for n in range(1, 21)}
    lines = host_lines(many, lambda _: 20, 80, 6)
    assert len(lines) == 6
    assert lines[-1] == ("rest", "  … 15 more: 15 done")
    assert len(host_lines(many, lambda _: 20, 80, 20)) == 20


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.0, "a few seconds left"), (38.0, "about 40 s left"), (200.0, "about 3 min left")],
)
def test_time_left_is_as_coarse_as_the_guess(seconds: float, text: str) -> None:
    assert remaining(seconds) == text


def test_elapsed_time() -> None:
    assert clock(9.44) == "9.4 s"
    assert clock(125) == "2m 05s"
