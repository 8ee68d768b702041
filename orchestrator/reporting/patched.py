"""The part of a report that says what was upgraded, server by server."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.reporting.record import Record


class Upgrade(Record):
    """A package at another version than before; `before` is '' for one that came along."""

    package: str
    before: str
    after: str
    security: bool = False


class Patched(Record):
    """One server that was patched; `rebooted` says why it was, `unhealthy` names checks that fail since."""

    server: str
    upgrades: Sequence[Upgrade] = ()
    restarted: Sequence[str] = ()
    rebooted: str = ""
    unhealthy: Sequence[str] = ()
    duration_seconds: float = 0.0
