"""What the phases ask of the memory of this installation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from orchestrator.clock import Moment
from orchestrator.ports.backups import Receipt
from orchestrator.ports.run import StackRecord


class Ledger(Protocol):
    """What this installation knows for ever: clients, stacks, runs, receipts."""

    def stack(self, name: str) -> StackRecord | None:
        """The living stack of that name."""
        ...

    def create_stack(self, name: str, client: str, at: datetime) -> StackRecord:
        """Give ids to a new stack (and to its client, when that is new too)."""
        ...

    def end_stack(self, record: StackRecord, at: datetime) -> None:
        """The stack is destroyed; its name may be used again and inherits nothing."""
        ...

    def begin_run(self, run: str, verb: str, stack: str, at: Moment) -> None:
        """A run starts."""
        ...

    def end_run(self, run: str, exit_code: int, at: Moment) -> None:
        """A run ended."""
        ...

    def record_receipts(self, stack: str, run: str, receipts: Sequence[Receipt]) -> None:
        """Keep receipts; one that is known already stays as it was first seen."""
        ...

    def accept(self, repository: str, plan: str, run: str, at: datetime) -> None:
        """A person said that this server has what it needs of its predecessors' backups of the plan."""
        ...

    def accepted(self, repositories: Sequence[str]) -> Collection[tuple[str, str]]:
        """The (repository, plan) pairs of which that was said."""
        ...

    def arrivals(self, repositories: Sequence[str], since: datetime) -> Sequence[Receipt]:
        """Every snapshot that was seen to arrive in these repositories since then."""
        ...

    def first_seen(self, repositories: Sequence[str]) -> Mapping[tuple[str, str], datetime]:
        """The arrival that each known snapshot had when first seen, by (repository id, snapshot id)."""
        ...
