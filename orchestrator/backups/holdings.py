"""Whose backups lie in a vault: by stack and server, how many and how new. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.predecessors import arrivals
from orchestrator.ports.backups import Receipt
from orchestrator.reporting.humanise import plural

_NAMED = 8
"""Servers that are named of one stack; the rest is counted."""


@dataclass(frozen=True)
class Held:
    """The snapshots of one server, of all of its incarnations; `newest` is when the vault saw it arrive."""

    stack: str
    server: str
    snapshots: int
    newest: datetime | None


def holdings(credentials: Iterable[RepositoryCredentials], receipts: Iterable[Receipt]) -> list[Held]:
    """One for each server that has or had a repository there, in order."""
    arrived = arrivals(receipts)
    moments: dict[tuple[str, str], list[datetime]] = {}
    for owner in credentials:
        moments.setdefault((owner.stack, owner.server), []).extend(arrived.get(owner.id, {}).values())
    return [
        Held(stack, server, len(found), max(found, default=None))
        for (stack, server), found in sorted(moments.items())
    ]


def told(held: Sequence[Held]) -> list[str]:
    """One line a stack: `acme-shop: web-1 3 snapshots, newest 2026-11-30 03:02 UTC; web-2 no snapshot`."""
    lines = []
    for stack in dict.fromkeys(each.stack for each in held):
        rows = [each for each in held if each.stack == stack]
        parts = [_server(each) for each in rows[:_NAMED]]
        parts += [f"{len(rows) - _NAMED} more servers"] if len(rows) > _NAMED else []
        lines.append(f"{stack}: {'; '.join(parts)}")
    return lines


def _server(each: Held) -> str:
    if each.newest is None:
        return f"{each.server} no snapshot"
    return f"{each.server} {plural(each.snapshots, 'snapshot')}, newest {each.newest:%Y-%m-%d %H:%M} UTC"
