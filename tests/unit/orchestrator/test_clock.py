"""Ids that sort by time, and readings that can be checked against each other."""

from __future__ import annotations

import re
from datetime import UTC, timedelta

from orchestrator.clock import SystemClock, new_id, new_run_id
from tests.fakes import NOON


def test_run_ids_sort_by_time_whatever_their_random_part() -> None:
    earlier = new_run_id(NOON, lambda bits: (1 << bits) - 1)
    later = new_run_id(NOON + timedelta(milliseconds=1), lambda _: 0)
    assert earlier < later
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", earlier)
    assert later.endswith("0" * 16)


def test_a_run_id_holds_its_milliseconds() -> None:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = 0
    for character in new_run_id(NOON)[:10]:
        number = number * 32 + alphabet.index(character)
    assert number == NOON.timestamp() * 1000


def test_run_ids_of_one_moment_differ() -> None:
    assert len({new_run_id(NOON) for _ in range(100)}) == 100


def test_ids() -> None:
    made = {new_id() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in made)


def test_the_systems_clock_is_utc_and_names_its_boot() -> None:
    clock = SystemClock()
    first, second = clock.moment(), clock.moment()
    assert first.utc.tzinfo is UTC
    assert second.monotonic_seconds >= first.monotonic_seconds
    assert first.boot_id == second.boot_id
    assert re.fullmatch(r"[0-9a-f-]{36}", first.boot_id)
