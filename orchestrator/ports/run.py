"""What a run is given: its stack with the fleet, the time, and someone to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from orchestrator.clock import Moment

if TYPE_CHECKING:
    from stacks.fleet.loader import LoadedFleet

Say = Callable[[str], None]
"""Tells the person watching one line of progress."""


@dataclass(frozen=True)
class StackRecord:
    """A stack as the ledger knows it; ids never change and are never given twice."""

    name: str
    id: str
    client: str
    client_id: str
    created_at: datetime


@dataclass(frozen=True)
class Target:
    """The stack a verb works on, with the fleet that describes it."""

    stack: StackRecord
    loaded: LoadedFleet


class Clock(Protocol):
    """Time as a parameter."""

    def now(self) -> datetime:
        """Wall time in UTC."""
        ...

    def moment(self) -> Moment:
        """Wall time with boot id and monotonic seconds."""
        ...
