"""Cron expressions: what they name, what is refused, and the longest wait."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stacks.fleet.schedule import ScheduleError, parse_schedule

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UNEVEN_MINUTES = "0,1,3,4,6,7,9,10,12,13,15,16,18,19,21,22,24,25,27,28"


@pytest.mark.parametrize(
    ("expression", "calendar"),
    [
        ("30 1 * * *", "*-*-* 01:30:00 UTC"),
        ("*/15 * * * *", "*-*-* *:00..45/15:00 UTC"),
        ("0 8-18/2 * * mon-fri", "Mon,Tue,Wed,Thu,Fri *-*-* 08..18/2:00:00 UTC"),
        ("0 0 * * 7", "Sun *-*-* 00:00:00 UTC"),
        ("0 0 * * 0", "Sun *-*-* 00:00:00 UTC"),
        ("0 0 * * 0,7", "Sun *-*-* 00:00:00 UTC"),
        ("0 0 * * fri-sun", "Sun,Fri,Sat *-*-* 00:00:00 UTC"),
        ("0 0 * * 0-6", "*-*-* 00:00:00 UTC"),
        ("0 0 * * 1-7", "*-*-* 00:00:00 UTC"),
        ("0 0 1,15 JAN,jul *", "*-01,07-01,15 00:00:00 UTC"),
        ("5,7 3 31 * *", "*-*-31 03:05,07:00 UTC"),
        ("  0   4\t* * *  ", "*-*-* 04:00:00 UTC"),
    ],
)
def test_an_expression_becomes_one_calendar_line(expression: str, calendar: str) -> None:
    assert parse_schedule(expression).on_calendar("UTC") == calendar


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("", "five fields"),
        ("@daily", "five fields"),
        ("0 0 * *", "not 4"),
        ("0 0 0 * * *", "not 6"),
        ("60 * * * *", "minute '60' is outside 0-59"),
        ("0 24 * * *", "hour '24' is outside 0-23"),
        ("0 0 0 * *", "day of month '0' is outside 1-31"),
        ("0 0 * 13 *", "month '13' is outside 1-12"),
        ("0 0 * * 8", "weekday '8' is outside 0-7"),
        ("-1 * * * *", "is not a number, range"),
        ("1,,2 * * * *", "is not a number, range"),
        ("0 22-4 * * *", "runs backwards; write two ranges: 22-23,0-4"),
        ("*/0 * * * *", "step outside 1-59"),
        ("*/90 * * * *", "step outside 1-59"),
        ("5/15 * * * *", "say 5-59/15"),
        ("0 0 * foo *", "month 'foo' is not a number or a name"),
        ("mon * * * *", "minute 'mon' is not a number"),
        ("0 0 1 * mon", "not both"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("99999999999 * * * *", "is not a number"),
        ("٣ * * * *", "is not a number"),
        ("\x1b[2J * * * *", r"\x1b[2J"),
        ("0 " * 150 + "* * *", "five fields"),
        ("0," * 150 + "0 * * * *", "at most 200 characters"),
        (f"{UNEVEN_MINUTES} 0,1,3,4,6,7,9,10,12,13 1,2,4,5,7,8,10,11,13,14,16 1,2,4,5,7,8,10 *", "too many"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_by_field(expression: str, text: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(expression)
    assert text in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("expression", "zone", "gap"),
    [
        ("0 * * * *", "UTC", HOUR),
        ("* * * * *", "UTC", timedelta(minutes=1)),
        ("30 1 * * *", "UTC", DAY),
        ("0 6,18 * * *", "UTC", 12 * HOUR),
        ("0 9-17 * * mon-fri", "UTC", 64 * HOUR),
        ("0 0 * * sun", "UTC", 7 * DAY),
        ("0 0 1 * *", "UTC", 31 * DAY),
        ("0 0 31 * *", "UTC", 61 * DAY),
        ("0 0 30 * *", "UTC", 60 * DAY),
        ("0 0 29 2 *", "UTC", 1461 * DAY),
        ("30 1 * * *", "Europe/Berlin", 25 * HOUR),
        ("30 2 * * *", "Europe/Berlin", 47 * HOUR),
        ("30 2 * * sun", "Europe/Berlin", 14 * DAY - HOUR),
        ("0 * * * *", "Europe/Berlin", 2 * HOUR),
        ("30 1 * * *", "Asia/Kolkata", DAY),
        ("15 2 * * *", "Australia/Lord_Howe", 2 * DAY - HOUR / 2),
        ("30 0 * * *", "America/Havana", 47 * HOUR),
    ],
)
def test_the_longest_gap_counts_month_ends_leap_years_and_changes_of_the_clocks(
    expression: str, zone: str, gap: timedelta
) -> None:
    assert parse_schedule(expression).longest_gap(zone) == gap


def test_a_skipped_time_does_not_fire_and_a_doubled_one_fires_once() -> None:
    schedule = parse_schedule("30 1-3 * * *")
    spring = schedule.instants(date(2026, 3, 29), "Europe/Berlin")
    autumn = schedule.instants(date(2026, 10, 25), "Europe/Berlin")
    assert spring == [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert autumn == [datetime(2026, 10, 24, 23, 30, tzinfo=UTC), *(
        datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 2)
    )]  # fmt: skip


MINUTES = st.lists(st.integers(0, 59), min_size=1, max_size=2).map(lambda each: ",".join(map(str, each)))
HOURS = st.lists(st.integers(0, 23), min_size=1, max_size=3).map(lambda each: ",".join(map(str, each)))
DAYS = st.one_of(
    st.just(("*", "*")),
    st.lists(st.integers(1, 31), min_size=1, max_size=4).map(lambda each: (",".join(map(str, each)), "*")),
    st.lists(st.integers(0, 7), min_size=1, max_size=4).map(lambda each: ("*", ",".join(map(str, each)))),
)


@example("0", "0", ("29", "*"), "America/New_York")
@settings(max_examples=30, deadline=None)
@given(MINUTES, HOURS, DAYS, st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]))
def test_the_longest_gap_is_that_of_counting(
    minutes: str, hours: str, days: tuple[str, str], zone: str
) -> None:
    schedule = parse_schedule(f"{minutes} {hours} {days[0]} * {days[1]}")
    fired = [
        instant
        for offset in range(-90, 8 * 366)
        if schedule.fires_on(day := date(2026, 1, 1) + timedelta(days=offset))
        for instant in schedule.instants(day, zone)
    ]
    assert schedule.longest_gap(zone) == max(later - earlier for earlier, later in pairwise(fired))
