"""One kind of Podman's objects, looked at once for all who ask at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Listing(Generic[T]):
    """A look that many threads share: twenty servers made at once then cost two listings, not sixty."""

    def __init__(self, look: Callable[[], tuple[T, ...]]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._begun = float("-inf")
        self._seen: tuple[T, ...] = ()

    def since(self, moment: float) -> tuple[T, ...]:
        """What was there when a look began at or after this moment (monotonic seconds)."""
        with self._lock:
            if self._begun < moment:
                begun = time.monotonic()
                self._seen = self._look()
                self._begun = begun
            return self._seen

    def add(self, made: T) -> None:
        """Something that this process made: even a question that an old look answers knows of it then."""
        with self._lock:
            self._seen = (*self._seen, made)

    def forget(self) -> None:
        """Something was removed: no old look answers from now on."""
        with self._lock:
            self._begun = float("-inf")

    def now(self) -> tuple[T, ...]:
        """What is there now: nothing that another call of this process did before is missing."""
        return self.since(time.monotonic())
