"""A verifier that sees what a test wants, and remembers where it looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.ports.hosts import Expectation, Observation
from stacks.outputs import ServerOutput


@dataclass
class FakeVerifier:
    """Everything holds but the checks in `failing` ('SERVER CHECK'); `looked`: at which servers."""

    failing: Sequence[str] = ()
    looked: list[str] = field(default_factory=list)

    def observe(self, server: ServerOutput, expectations: Sequence[Expectation]) -> Sequence[Observation]:
        self.looked.append(server.name)
        return [
            Observation(each, f"{server.name} {each.check}" not in self.failing, "seen")
            for each in expectations
        ]
