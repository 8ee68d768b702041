"""One look for all who ask at the same time, and never one that was begun before the question."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from stacks.providers.local.listing import Listing


def test_those_who_wait_share_the_next_look() -> None:
    looks: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def look() -> tuple[int, ...]:
        looks.append(len(looks))
        begun.set()
        assert go_on.wait(5)
        return tuple(looks)

    listing = Listing(look)
    asked = threading.Semaphore(0)

    def ask() -> tuple[int, ...]:
        moment = time.monotonic()
        asked.release()
        return listing.since(moment)

    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(ask)
        assert begun.wait(5)
        others = [pool.submit(ask) for _ in range(19)]
        for _ in range(20):
            assert asked.acquire(timeout=5)
        go_on.set()
        seen = {each.result() for each in others}
    assert first.result() == (0,)
    assert seen == {(0, 1)}, (
        "what the first one saw was begun before they asked; one more look serves them all"
    )
    assert looks == [0, 1]


def test_a_look_that_is_young_enough_is_used_again_and_an_older_one_is_not() -> None:
    looks: list[float] = []
    listing = Listing(lambda: (looks.append(0.0), tuple(looks))[1])
    listing.now()
    assert len(listing.since(time.monotonic() - 60)) == 1
    assert len(listing.now()) == 2


def test_a_look_that_fails_is_nobodys_answer() -> None:
    answers = iter([OSError("podman"), None])

    def look() -> tuple[str, ...]:
        if (problem := next(answers)) is not None:
            raise problem
        return ("there",)

    listing = Listing(look)
    moment = time.monotonic()
    with pytest.raises(OSError, match="podman"):
        listing.since(moment)
    assert listing.since(moment) == ("there",)
