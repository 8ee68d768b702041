"""The same work on many hosts: in order, at once, and soon over after a stop."""

from __future__ import annotations

from threading import Barrier, Event, Thread
from time import monotonic

import pytest

from orchestrator.errors import StoppedError, ToolError
from orchestrator.parallel import for_each


def test_answers_keep_the_order_and_work_runs_at_once() -> None:
    together = Barrier(3)

    def act(item: int, _stopping: Event) -> int:
        together.wait(10)
        return item * 2

    assert for_each([3, 1, 2], act, at_once=3) == [6, 2, 4]
    assert for_each([], act) == []


def test_after_an_error_waiting_work_leaves_and_the_rest_never_begins() -> None:
    begun: list[int] = []
    waiting = Event()

    def act(item: int, stopping: Event) -> None:
        begun.append(item)
        if item == 0:
            waiting.wait(10)
            raise ToolError("x", "broke")
        waiting.set()
        assert stopping.wait(10), "nobody told it to stop"

    began = monotonic()
    with pytest.raises(ToolError):
        for_each(range(50), act, at_once=2)
    assert monotonic() - began < 5
    assert len(begun) <= 3


def test_a_stop_of_the_caller_reaches_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a signal does: the caller's own wait is interrupted while the threads go on."""
    from concurrent.futures import ThreadPoolExecutor

    left = Event()

    def interrupted(pool: ThreadPoolExecutor, function: object, items: object) -> object:
        assert callable(function)
        Thread(target=function, args=(0,)).start()
        raise StoppedError("steward", "stopped")

    def act(_item: int, stopping: Event) -> None:
        if stopping.wait(10):
            left.set()

    monkeypatch.setattr(ThreadPoolExecutor, "map", interrupted)
    with pytest.raises(StoppedError):
        for_each([0], act)
    assert left.wait(10)
