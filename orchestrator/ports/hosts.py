"""What the phases ask of a host: run a command there, look without changing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.process import CommandResult
from stacks.outputs import ServerOutput


class HostShell(Protocol):
    """Commands on the servers of one stack, over SSH with pinned host keys."""

    def run(
        self,
        server: ServerOutput,
        argv: Sequence[str],
        *,
        timeout: float,
        stdin: str | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run one command as the admin user; raises ToolError when `check` and it fails, or SSH does."""
        ...

    def close(self) -> None:
        """End every connection."""
        ...


@dataclass(frozen=True)
class Expectation:
    """One thing that must be true on a host: `probe` says how to look, `subject` and `argument` at what."""

    check: str
    title: str
    probe: str
    subject: str
    argument: str = ""


@dataclass(frozen=True)
class Observation:
    """What a probe saw; `holds` is None when it could not look, `applies` false where the kernel refuses."""

    expectation: Expectation
    holds: bool | None
    observed: str
    applies: bool = True


class HostVerifier(Protocol):
    """Looks at a host from outside, without changing it."""

    def observe(self, server: ServerOutput, expectations: Sequence[Expectation]) -> Sequence[Observation]:
        """One observation per expectation, in order; a host out of reach gives ones that saw nothing."""
        ...
