"""Maintenance windows: weekdays, midnight, zones and the nights on which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stacks.fleet.service import Maintenance
from stacks.fleet.window import opening


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "zone", "moment", "begins", "ends"),
    [
        ("Sun 02:00-04:00", "UTC", "2026-11-25T03:00", "2026-11-29T02:00", "2026-11-29T04:00"),
        ("Sun 02:00-04:00", "UTC", "2026-11-29T02:00", "2026-11-29T02:00", "2026-11-29T04:00"),
        ("Sun 02:00-04:00", "UTC", "2026-11-29T04:00", "2026-12-06T02:00", "2026-12-06T04:00"),
        ("Sun 02:00-04:00", "Europe/Berlin", "2026-11-25T03:00", "2026-11-29T01:00", "2026-11-29T03:00"),
        ("02:00-04:00", "UTC", "2026-11-25T03:59", "2026-11-25T02:00", "2026-11-25T04:00"),
        ("22:00-02:00", "UTC", "2026-11-25T01:00", "2026-11-24T22:00", "2026-11-25T02:00"),
        ("Sat 22:00-02:00", "UTC", "2026-11-29T01:00", "2026-11-28T22:00", "2026-11-29T02:00"),
        ("Sat 22:00-02:00", "UTC", "2026-11-28T01:00", "2026-11-28T22:00", "2026-11-29T02:00"),
        ("Mon 00:00-01:00", "Pacific/Auckland", "2026-11-25T03:00", "2026-11-29T11:00", "2026-11-29T12:00"),
        # 28 March 2027: 02:00-03:00 is missing in Berlin; 25 October 2026: it comes twice.
        ("Sun 02:00-04:00", "Europe/Berlin", "2027-03-27T12:00", "2027-03-28T01:00", "2027-03-28T02:00"),
        ("Sun 02:00-03:00", "Europe/Berlin", "2027-03-27T12:00", "2027-04-04T00:00", "2027-04-04T01:00"),
        ("Sun 02:00-02:30", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:00", "2026-10-25T01:30"),
    ],
)
def test_a_window_opens_when_its_zone_says_so(
    window: str, zone: str, moment: str, begins: str, ends: str
) -> None:
    found = opening(Maintenance(window=window, timezone=zone), at(moment))
    assert (found.begins, found.ends) == (at(begins), at(ends))
    assert found.holds(at(moment)) == (at(begins) <= at(moment) < at(ends))


def test_every_moment_has_an_opening_that_is_not_over() -> None:
    window = Maintenance(window="Sun 02:00-03:00", timezone="Europe/Berlin")
    for hours in range(0, 24 * 400, 7):
        moment = at("2026-10-01T00:00") + timedelta(hours=hours)
        found = opening(window, moment)
        assert moment < found.ends
        assert found.begins - moment < timedelta(days=15)


def test_an_opening_is_told_in_utc_and_in_its_zone() -> None:
    found = opening(Maintenance(window="Sun 02:00-04:00", timezone="Europe/Berlin"), at("2026-11-25T03:00"))
    assert found.shown("Europe/Berlin") == "Sun 2026-11-29 01:00-03:00 UTC (02:00-04:00 Europe/Berlin)"
