"""The same work on many hosts at once, in a way that a stop ends soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def for_each(
    items: Iterable[Item], act: Callable[[Item, Event], Answer], *, at_once: int = 16
) -> list[Answer]:
    """The answers of `act(item, stopping)` in order; the first error of the list is raised.

    When the caller is stopped meanwhile, what has not begun never does, and `stopping` is set: work that
    waits or has more to start must look at it, because a pool cannot be left before its threads are done.
    """
    stopping = Event()
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        try:
            return list(pool.map(lambda item: act(item, stopping), items))
        except BaseException:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
