"""What drift asks of the outside world: hosts as a converge left them, resources as the state has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from orchestrator.reporting.drift import DriftItem, DriftSubject
from stacks.outputs import ServerOutput


class HostDrifts(Protocol):
    """Hosts held against what their last converge left; one look each, changes nothing there."""

    def drifted(self, servers: Sequence[ServerOutput]) -> Sequence[DriftSubject]:
        """One subject for each server, in order; a host that cannot be looked at is unknown."""
        ...

    def accept(self, servers: Sequence[ServerOutput], run: str) -> Sequence[str]:
        """From now on these hosts are right as they are; the names of those that could be looked at."""
        ...

    def accept_items(
        self, servers: Sequence[ServerOutput], wanted: Sequence[DriftItem]
    ) -> Sequence[DriftItem]:
        """From now on these differences are right, and no other; those that were still as they were told."""
        ...

    def learn(self, servers: Sequence[ServerOutput], paths: Sequence[str]) -> None:
        """Steward itself changed these files there, outside of a converge: that is how they should be."""
        ...


class ResourceDrifts(Protocol):
    """Resources held against what is really there."""

    def drifted(self, stack: str) -> Sequence[DriftSubject]:
        """One subject for each resource of the stack; raises ToolError when the provider cannot be asked."""
        ...
