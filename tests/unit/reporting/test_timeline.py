"""The run on its time axis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

from orchestrator.reporting.model import Host, Verdict
from orchestrator.reporting.timeline import MOST_HOSTS, MOST_LOOKS, Row, timeline
from orchestrator.reporting.tone import Tone
from tests.unit.reporting import sample


def below(rows: Sequence[Row], step: str) -> list[Row]:
    """The hosts of a step."""
    at = [row.name for row in rows].index(step)
    return list(takewhile(lambda row: row.host, rows[at + 1 :]))


def test_hosts_stand_below_configure_with_their_roles_inside_it() -> None:
    rows = timeline(sample.demo()).rows
    names = [row.name for row in rows]
    at = names.index("configure")
    assert names[at + 1 : at + 4] == ["web-1", "web-2", "db-1"]
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
    *shown, told = below(drawn.rows, "configure")
    assert len(shown) == MOST_HOSTS
    assert [row.name for row in shown if row.tone is Tone.BAD] == [hosts[-1].name]
    assert told.name.startswith("976 hosts more: none failed and none took longer than these, 58 s to")
    assert [len(below(drawn.rows, name)) for name in ("ready", "backup", "verify")] == [MOST_LOOKS + 1] * 3


def test_a_host_without_times_has_no_row_and_breaks_nothing() -> None:
    silent = Host(name="web-1", ok=3, changed=0, failed=0, unreachable=False)
    assert below(timeline(sample.demo(hosts=(silent,))).rows, "configure") == []


def test_every_step_that_spoke_with_hosts_shows_them_and_how_it_ended_there() -> None:
    report = sample.demo()
    checks = [
        each.model_copy(update={"verdict": Verdict.FAIL}) if each.server == "web-2" else each
        for each in report.checks
    ]
    backups = [
        each.model_copy(update={"verdict": Verdict.FAIL, "message": "no snapshot"})
        if each.server == "db-1"
        else each
        for each in report.backups
    ]
    rows = timeline(report.model_copy(update={"checks": tuple(checks), "backups": tuple(backups)})).rows
    ended = {
        name: {row.name: row.word for row in below(rows, name)} for name in ("ready", "backup", "verify")
    }
    good = dict.fromkeys(("web-1", "web-2", "db-1"), "done")
    assert ended == {
        "ready": good,
        "backup": {**good, "db-1": "failed"},
        "verify": {**good, "web-2": "failed"},
    }
    assert [row.note for row in below(rows, "verify")] == ["", "16 checks not passed", ""]
    assert below(rows, "plan") == []


def test_a_host_that_never_accepted_a_connection_is_drawn_too() -> None:
    never = Host(
        name="web-2",
        ok=0,
        changed=0,
        failed=1,
        unreachable=True,
        duration_seconds=20,
        failed_task="ready: tcp",
    )
    steps = tuple(
        step.model_copy(update={"hosts": tuple(each for each in step.hosts if each.server != "web-2")})
        for step in sample.demo().steps
    )
    rows = below(timeline(sample.demo(hosts=(never,), steps=steps)).rows, "ready")
    assert [(row.name, row.word) for row in rows] == [
        ("web-1", "done"),
        ("db-1", "done"),
        ("web-2", "not ready"),
    ]


def test_a_host_that_was_only_looked_at_stands_below_configure_beside_those_that_were_converged() -> None:
    report = sample.demo()
    looked = tuple(
        step.model_copy(update={"hosts": report.steps[-2].hosts}) if step.name == "configure" else step
        for step in report.steps
    )
    found = timeline(report.model_copy(update={"steps": looked, "hosts": report.hosts[:2]}))
    assert [len(row.bars) for row in below(found.rows, "configure")] == [3, 3, 1]
