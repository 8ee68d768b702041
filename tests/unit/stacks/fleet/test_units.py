"""Durations, zones and networks: what is written and what is meant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stacks.fleet.units import format_duration, is_zone, parse_duration, parse_network


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("26h", 93_600), ("7d", 604_800), ("2w", 1_209_600)]
)
def test_a_duration_is_read_and_written_alike(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert format_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    "text", ["", "26", "h", "0h", "-1h", "1.5h", "1 h", "1H", "1y", "1h30m", "9999999h", "٢h", 26, None]
)
def test_a_duration_needs_a_whole_number_and_a_unit(text: object) -> None:
    with pytest.raises(ValueError, match="whole number and a unit"):
        parse_duration(text)


@pytest.mark.parametrize("hours", [24, 25, 47])
def test_a_day_is_told_in_hours(hours: int) -> None:
    assert format_duration(timedelta(hours=hours)) == f"{hours}h"


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0",
        "10.0.0.1/24",
        "10.0.0.0/33",
        "300.0.0.0/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/8\n",
        "::/0",
        10,
        None,
    ],
)
def test_a_network_is_ipv4_in_cidr_form(text: object) -> None:
    with pytest.raises(ValueError, match="write a network as IPv4 CIDR"):
        parse_network(text)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"])
def test_a_zone_is_an_iana_name(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Europe",
        "Europe/",
        "europe/berln",
        "/etc/localtime",
        "../UTC",
        "posix/UTC",
        "localtime",
        "zone.tab",
        "A" * 99,
    ],
)
def test_what_is_no_place_is_no_zone(name: str) -> None:
    assert not is_zone(name)
