"""What the phases ask of whoever keeps facts of hosts: this run's documents, and those of earlier runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from orchestrator.ports.hosts import HostFacts
from stacks.outputs import ServerOutput


class FactBook(Protocol):
    """The documents that hosts gave, kept with the runs that asked."""

    def keep(self, facts: Sequence[HostFacts]) -> None:
        """Write them down with this run, one file a host."""
        ...

    def keep_expected(self, expected: Mapping[str, Mapping[str, object]]) -> None:
        """Write down what was set beside them, without which nobody could judge them again."""
        ...

    def earlier(self, servers: Sequence[ServerOutput]) -> Sequence[Mapping[str, Any]]:
        """What these very servers said in earlier runs, as far as a judgement of today needs it."""
        ...
