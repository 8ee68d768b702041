"""Whether a person or the system asks to stop: told from an exception of the same name that a rule raises."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stops:
    """While it is entered, notes each signal to stop before its handler gets it.

    Handlers run in the main thread, so in no other an exception can come of one.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                before = signal.getsignal(number)
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, self._noted)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            if signal.getsignal(number) == self._noted:  # not where the handler put another in its place
                signal.signal(number, before)
        self._before.clear()

    def heed(self) -> None:
        """Raises KeyboardInterrupt where a signal came and what its handler raised was lost on its way."""
        if self.came:
            raise KeyboardInterrupt

    def _noted(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        self._before[number](number, frame)
