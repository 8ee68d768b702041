"""When each server was spoken with: the timeline draws it below the steps that do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from time import monotonic

from orchestrator.ports.hosts import Expectation, HostShell, HostVerifier, Observation
from orchestrator.ports.run import Clock
from orchestrator.process import CommandResult
from orchestrator.reporting.seen import HostTime
from stacks.outputs import ServerOutput


@dataclass
class HostTimes:
    """From the first word to the last, a server; many threads note at once."""

    clock: Clock
    _first: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self) -> Sequence[HostTime]:
        """What was noted since this was last asked, in the order in which servers were first spoken with."""
        with self._lock:
            found = [
                HostTime(
                    server=name, started_at=at, duration_seconds=round(self._last.get(name, began) - began, 3)
                )
                for name, (at, began) in self._first.items()
            ]
            self._first.clear()
            self._last.clear()
        return found

    @contextmanager
    def noted(self, server: str) -> Iterator[None]:
        """Something is asked of a server, whether or not it answers."""
        with self._lock:
            self._first.setdefault(server, (self.clock.now(), monotonic()))
        try:
            yield
        finally:
            with self._lock:
                self._last[server] = monotonic()


@dataclass(frozen=True)
class NotedShell:
    """Implements `ports.hosts.HostShell` by another one, and notes when each server was spoken with."""

    inner: HostShell
    times: HostTimes

    def run(
        self,
        server: ServerOutput,
        argv: Sequence[str],
        *,
        timeout: float,
        stdin: str | None = None,
        check: bool = True,
    ) -> CommandResult:
        """As the inner shell."""
        with self.times.noted(server.name):
            return self.inner.run(server, argv, timeout=timeout, stdin=stdin, check=check)

    def close(self) -> None:
        """As the inner shell."""
        self.inner.close()


@dataclass(frozen=True)
class NotedVerifier:
    """Implements `ports.hosts.HostVerifier` by another one, and notes when each server was looked at."""

    inner: HostVerifier
    times: HostTimes

    def observe(self, server: ServerOutput, expectations: Sequence[Expectation]) -> Sequence[Observation]:
        """As the inner verifier."""
        with self.times.noted(server.name):
            return self.inner.observe(server, expectations)
