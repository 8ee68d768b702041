"""What the phases ask of the outside world. Adapters implement these; `tests/fakes.py` holds their fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from orchestrator.backups.credentials import RepositoryCredentials
from orchestrator.backups.documents import VaultDescription
from orchestrator.clock import Moment
from orchestrator.errors import StewardError
from orchestrator.inventory.model import Inventory
from orchestrator.process import CommandResult
from orchestrator.reporting.model import Change, Host, PolicyResult
from orchestrator.reporting.planning import HostPlan
from stacks.fleet.loader import LoadedFleet
from stacks.outputs import FleetOutputs, ServerOutput

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


@dataclass(frozen=True)
class Preview:
    """What a preview with the policy pack found; `refusal`, `refused`: why Pulumi stopped, when it did.

    `differs`: what is no resource of its own is not as in the state. `before`, `after`: properties by URN.
    """

    changes: Sequence[Change]
    unchanged: int
    policies: Sequence[PolicyResult]
    refusal: str = ""
    differs: bool = False
    refused: StewardError | None = None
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    after: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    state_at: datetime | None = None

    @property
    def blocked(self) -> bool:
        """Whether a mandatory rule found something."""
        bad = ("fail", "unknown", "error")
        return any(p.state in bad and p.enforcement == "mandatory" for p in self.policies)


@dataclass(frozen=True)
class Provisioned:
    """What `pulumi up` did, and judged with all values known; `failure` names what could not be made."""

    changes: Sequence[Change]
    unchanged: int
    policies: Sequence[PolicyResult] = ()
    failure: str = ""


@dataclass(frozen=True)
class StateResource:
    """One resource of the stack's state."""

    urn: str
    type: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    protect: bool


class Provisioner(Protocol):
    """Pulumi, driven for one stack."""

    def preview(self, target: Target, *, refresh: bool = False) -> Preview:
        """Plan and judge; changes nothing. A refused plan is a value; `refresh` looks at reality first."""
        ...

    def up(self, target: Target, *, refresh: bool = False) -> Provisioned:
        """Make it so; half-made resources are in the state and told in `failure`."""
        ...

    def resources(self, stack: str) -> Sequence[StateResource]:
        """Everything in the stack's state, in order."""
        ...

    def outputs(self, stack: str) -> FleetOutputs:
        """What the stack exports; raises ToolError that names a missing output."""
        ...

    def unprotect(self, stack: str, urns: Sequence[str]) -> None:
        """Allow these resources to be deleted."""
        ...

    def destroy(self, stack: str) -> Sequence[Change]:
        """Delete every resource of the stack and then the stack itself."""
        ...


@dataclass(frozen=True)
class PlayRequest:
    """One run of a playbook; `check` only asks what would change; `control_path` as ssh's, '' for none."""

    playbook: str
    inventory: Inventory
    hosts: Sequence[str]
    run: str
    private_key: Path
    known_hosts: Path
    control_path: str = ""
    check: bool = False


@dataclass(frozen=True)
class PlayResult:
    """Outcome and, of check mode, plan per host in the inventory's order; `problem` is beside the hosts."""

    hosts: Sequence[Host]
    problem: str = ""
    plans: Sequence[HostPlan] = ()


class PlaybookRunner(Protocol):
    """Ansible, driven for one inventory."""

    def run(self, request: PlayRequest, say: Say) -> PlayResult:
        """Converge; one failed host does not stop the others. No process is left behind when interrupted."""
        ...


class Convergence(Protocol):
    """What each converge left behind, so that a host on which nothing differs can be left alone."""

    def settled(self, inventory: Inventory, servers: Sequence[ServerOutput]) -> Mapping[str, str]:
        """Servers exactly as their last converge with these inputs left them, with that run's id."""
        ...

    def forget(self, servers: Sequence[ServerOutput]) -> None:
        """A converge begins on these servers: what was known of them no longer holds."""
        ...

    def record(self, inventory: Inventory, servers: Sequence[ServerOutput], run: str) -> None:
        """These servers were converged well in this run."""
        ...


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


class Clock(Protocol):
    """Time as a parameter."""

    def now(self) -> datetime:
        """Wall time in UTC."""
        ...

    def moment(self) -> Moment:
        """Wall time with boot id and monotonic seconds."""
        ...


@dataclass(frozen=True)
class Receipt:
    """A snapshot as the vault saw it arrive."""

    repository: str
    snapshot: str
    arrived_at: datetime
    bytes: int


class BackupStore(Protocol):
    """A vault: repositories, and what arrived in them."""

    address: str

    def describe(self) -> VaultDescription:
        """Certificate, port and the repositories there are."""
        ...

    def enrol(self, credentials: RepositoryCredentials) -> None:
        """Make a repository; the store sees no password."""
        ...

    def receipts(self) -> Sequence[Receipt]:
        """Every snapshot that lies in the store."""
        ...


class CredentialStore(Protocol):
    """The repository credentials of one vault."""

    def load(self, repository: str) -> RepositoryCredentials | None:
        """None when that repository was never enrolled."""
        ...

    def create(self, repository: str, server: str, stack: str, at: datetime) -> RepositoryCredentials:
        """Make credentials and keep them before anything uses them."""
        ...

    def place(self, repository: str) -> str:
        """Where they lie, for messages."""
        ...


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

    def first_seen(self, repositories: Sequence[str]) -> Mapping[tuple[str, str], datetime]:
        """The arrival that each known snapshot had when first seen, by (repository id, snapshot id)."""
        ...
