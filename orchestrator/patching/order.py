"""Which servers may be patched at a moment, in which order, and when the others may. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import InputError
from stacks.fleet.model import Fleet
from stacks.fleet.window import Opening, opening
from stacks.outputs import ServerOutput


@dataclass(frozen=True)
class Closed:
    """A service whose window is not open, and its next opening."""

    service: str
    next: Opening
    zone: str

    def __str__(self) -> str:
        return f"service {self.service} may be interrupted {self.next.shown(self.zone)}"


@dataclass(frozen=True)
class PatchOrder:
    """Servers in the order in which they are patched; those that wait; windows that --now passed over."""

    servers: Sequence[ServerOutput]
    waiting: Mapping[str, Closed]
    overridden: Mapping[str, Closed]


def closed_for(fleet: Fleet, group: str, at: datetime) -> Closed | None:
    """The service of a server group that may not be interrupted now; the one that opens last, if several."""
    found = []
    for name, service in fleet.services.items():
        if service.maintenance is None or group not in service.servers:
            continue
        coming = opening(service.maintenance, at)
        if not coming.holds(at):
            found.append(Closed(name, coming, service.maintenance.timezone))
    return max(found, key=lambda each: each.next.begins, default=None)


def patch_order(
    fleet: Fleet, servers: Sequence[ServerOutput], at: datetime, wanted: Sequence[str], *, now: bool
) -> PatchOrder:
    """Every server whose services may be interrupted at this moment; raises InputError where that is none.

    A server that was named and may not be interrupted is an error, one that was not named waits.
    """
    asked = [server for server in servers if not wanted or server.name in wanted]
    closed = {s.name: found for s in asked if (found := closed_for(fleet, s.group, at)) is not None}
    if now:
        return PatchOrder(asked, {}, closed)
    free = [server for server in asked if server.name not in closed]
    if closed and (wanted or not free):
        name, first = min(closed.items(), key=lambda each: each[1].next.begins)
        raise InputError(
            name, "is outside of its maintenance window", place=f"services.{first.service}.maintenance",
            rule=str(first), next_step="Run it then, or now with --now, which is recorded.",
        )  # fmt: skip
    return PatchOrder(free, closed, {})


def summary(order: PatchOrder) -> str:
    """`3 servers; db-1 waits: service shop may be interrupted ...`"""
    text = f"{len(order.servers)} servers, one after the other"
    text += "".join(f"; {name} waits: {closed}" for name, closed in order.waiting.items())
    passed_over: dict[str, list[str]] = {}
    for name, closed in order.overridden.items():
        passed_over.setdefault(str(closed), []).append(name)
    for said, names in passed_over.items():
        text += f"; {', '.join(names)} now, by --now, though {said}"
    return text
