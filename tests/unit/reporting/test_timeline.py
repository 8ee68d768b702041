"""The run on its time axis."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.reporting.model import Host
from orchestrator.reporting.timeline import MOST_HOSTS, timeline
from orchestrator.reporting.verdict import Tone
from tests.unit.reporting import sample


def test_hosts_stand_below_configure_with_their_roles_inside_it() -> None:
    rows = timeline(sample.demo()).rows
    names = [row.name for row in rows]
    at = names.index("configure")
    assert names[at + 1 : at + 4] == ["web-1", "web-2", "db-1"]
    assert [row.host for row in rows] == [name in names[at + 1 : at + 4] for name in names]
    assert [bar.label for bar in rows[at + 3].bars] == ["baseline", "postgresql", "backup"]
    assert rows[at + 3].bars[1].title == "postgresql: 30 s, 9 tasks, 3 changed"


def test_everything_stays_on_the_axis_whatever_the_clocks_say() -> None:
    crooked = sample.demo(started_at=sample.START + timedelta(hours=1))
    for report in (sample.demo(), sample.failing(), crooked):
        for row in timeline(report).rows:
            assert all(bar.left >= 0 and bar.width > 0 and bar.left + bar.width <= 100.1 for bar in row.bars)


def test_ticks_are_round_and_few() -> None:
    ticks = timeline(sample.demo()).ticks
    assert [tick.label for tick in ticks] == ["0", "30 s", "1m", "1m 30s", "2m", "2m 30s"]
    instant = sample.demo(finished_at=sample.START, steps=())
    assert len(timeline(instant).ticks) <= 8


def test_of_many_hosts_those_that_failed_and_the_slowest_are_drawn_and_the_rest_is_told() -> None:
    report = sample.thousand()
    hosts = [*report.hosts[:-1], report.hosts[-1].model_copy(update={"failed": 1, "failed_task": "boom"})]
    drawn = timeline(report.model_copy(update={"hosts": tuple(hosts)}))
    shown = [row for row in drawn.rows if row.host]
    assert len(shown) == MOST_HOSTS
    assert [row.name for row in shown if row.tone is Tone.BAD] == [hosts[-1].name]
    assert drawn.left_out.startswith("976 hosts more: none failed and none took longer than these, 58 s to")


def test_a_host_without_times_has_no_row_and_breaks_nothing() -> None:
    silent = Host(name="web-1", ok=3, changed=0, failed=0, unreachable=False)
    assert not any(row.host for row in timeline(sample.demo(hosts=(silent,))).rows)
