"""The timer that a host gets fires at the instants that the pure schedule says: judged by systemd itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.fleet.schedule import Schedule, ScheduleError, parse_schedule

pytestmark = pytest.mark.real

ITERATIONS = 12
ZONES = ("UTC", "Europe/Berlin", "America/New_York")
BASES = [datetime(*day, 12, 0, tzinfo=UTC) for day in (
    (2026, 3, 27), (2026, 10, 24), (2026, 12, 30), (2027, 3, 13), (2027, 11, 6), (2028, 2, 27)
)]  # fmt: skip


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        text = "systemd-analyze is missing; get it with: apt-get install systemd"
        if os.environ.get("STEWARD_REQUIRE_REAL") == "1":
            pytest.fail(text)
        pytest.skip(text)
    return found


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).map(sorted)
    span = pair.map(lambda each: f"{each[0]}-{each[1]}")
    stepped = st.tuples(st.just("*") | span, st.integers(1, high - low)).map(
        lambda each: f"{each[0]}/{each[1]}"
    )
    part = st.one_of(number.map(str), span, stepped)
    return st.just("*") | st.lists(part, min_size=1, max_size=3).map(",".join)


def parsed(fields: tuple[str, str, str, str]) -> Schedule | None:
    try:
        return parse_schedule(" ".join(fields))
    except ScheduleError:
        return None


DAY_OR_WEEKDAY = st.tuples(field(1, 31), st.just("*")) | st.tuples(st.just("*"), field(0, 7))
SCHEDULES = (
    st.tuples(field(0, 59), field(0, 23), DAY_OR_WEEKDAY, st.just("*") | field(1, 12))
    .map(lambda each: parsed((each[0], each[1], each[2][0], f"{each[3]} {each[2][1]}")))
    .filter(lambda schedule: schedule is not None)
)


def systemd(analyze: str, lines: list[str], base: datetime) -> list[list[datetime]]:
    """The next instants of each calendar line, in one call."""
    at = base.strftime("%Y-%m-%d %H:%M:%S UTC")
    command = [analyze, "calendar", f"--iterations={ITERATIONS}", f"--base-time={at}", *lines]
    ran = subprocess.run(
        command,
        env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = re.compile(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC")
    blocks = ran.stdout.split("\n\n")
    return [
        [datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for text in found.findall(block)]
        for block in blocks
    ]


def pure(schedule: Schedule, zone: str, base: datetime) -> list[datetime]:
    """The same by our own count; as many as lie within eight years."""
    dates = (date(base.year, base.month, base.day) + timedelta(days=offset) for offset in range(-1, 8 * 366))
    instants = (each for day in dates if schedule.fires_on(day) for each in schedule.instants(day, zone))
    return list(islice((each for each in instants if each > base), ITERATIONS))


@settings(max_examples=12, deadline=None)
@given(st.lists(SCHEDULES, min_size=10, max_size=40), st.sampled_from(ZONES), st.sampled_from(BASES))
def test_systemd_fires_when_the_schedule_says(
    analyze: str, schedules: list[Schedule], zone: str, base: datetime
) -> None:
    theirs = systemd(analyze, [schedule.on_calendar(zone) for schedule in schedules], base)
    assert len(theirs) == len(schedules)
    for schedule, instants in zip(schedules, theirs, strict=True):
        ours = pure(schedule, zone, base)
        assert instants[: len(ours)] == ours, schedule.expression


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("base", BASES)
def test_systemd_agrees_around_every_hour_that_clocks_skip_or_repeat(
    analyze: str, zone: str, base: datetime
) -> None:
    expressions = [f"{minute} {hour} * * *" for hour in range(5) for minute in ("0", "30")]
    expressions += ["0 * * * *", "*/15 * * * *", "30 2 * * sun", "59 1 * * 7", "0 0 31 * *", "0 0 29 2 *"]
    schedules = [parse_schedule(each) for each in expressions]
    theirs = systemd(analyze, [schedule.on_calendar(zone) for schedule in schedules], base)
    ours = [pure(schedule, zone, base) for schedule in schedules]
    assert [each[: len(own)] for each, own in zip(theirs, ours, strict=True)] == ours
