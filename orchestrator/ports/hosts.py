"""What the phases ask of a host: run a command there, look without changing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from orchestrator.process import CommandResult
from stacks.outputs import ServerOutput

PYTHON_AS_ROOT: Final = ("sudo", "-n", "python3", "-I")
"""Begins the command of a program sent to a host. Isolated: root loads no module of the admin's folder."""


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


@dataclass(frozen=True)
class HostFacts:
    """What was seen on a host at one moment: the document that rules judge, now or when it is replayed."""

    host: str
    document: Mapping[str, object]


@dataclass(frozen=True)
class Unreached:
    """A host that gave no facts, and why: its rules were not run."""

    host: str
    reason: str


class HostFactCollector(Protocol):
    """Collects the facts of hosts, read-only, with one connection a host."""

    def collect(self, servers: Sequence[ServerOutput]) -> Mapping[str, HostFacts | Unreached]:
        """By server name, every server once; a host that cannot be asked hides no other."""
        ...
