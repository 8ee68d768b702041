"""The adapters of one run, behind their ports; `app` fills it, phases and pipeline use it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.backups.records import Drill
from orchestrator.cost.prices import PriceBook
from orchestrator.errors import ToolError
from orchestrator.inventory.build import Binaries
from orchestrator.ports.backups import BackupStore, CredentialStore
from orchestrator.ports.drift import HostDrifts, ResourceDrifts
from orchestrator.ports.facts import FactBook
from orchestrator.ports.hosts import HostFactCollector, HostShell, HostVerifier
from orchestrator.ports.images import ServerImages
from orchestrator.ports.ledger import Ledger
from orchestrator.ports.listing import ProviderListing
from orchestrator.ports.plays import Convergence, PlaybookRunner
from orchestrator.ports.policies import PolicyJudge
from orchestrator.ports.probes import ServiceProber
from orchestrator.ports.provisioning import Provisioner
from orchestrator.ports.roles import RoleBook, Supplier
from orchestrator.ports.rotation import Rotation
from orchestrator.ports.run import Clock, Say, Target
from orchestrator.reporting.seen import HostTime
from stacks.outputs import ServerOutput


def no_key(server: ServerOutput) -> str:
    """Where nobody can look: an error, never a key."""
    raise ToolError(server.name, "nobody here can ask for its host key")


@dataclass(frozen=True)
class HostAccess:
    """The reachable servers of one stack: a shell, the files by which other tools reach them, a verifier."""

    shell: HostShell
    private_keys: Sequence[Path]
    known_hosts: Path
    control_path: str
    verifier: HostVerifier
    convergence: Convergence
    drifts: HostDrifts
    facts: HostFactCollector
    public_keys: Sequence[str] = ()
    """The public halves of keys with which this installation logs in now."""


@dataclass(frozen=True)
class Adapters:
    """Everything outside, for one run on one stack."""

    target: Target
    run: str
    clock: Clock
    ledger: Ledger
    provisioner: Provisioner
    binaries: Binaries
    say: Say
    roles: RoleBook
    supplier: Supplier
    hosts: Callable[[str, Sequence[ServerOutput]], HostAccess]
    """(stack, servers) -> access; the caller's run closes it."""
    playbooks: Callable[[HostAccess, Sequence[ServerOutput]], PlaybookRunner]
    store: Callable[[str], BackupStore]
    """Repository name of the fleet -> the vault behind it."""
    credentials: Callable[[str], CredentialStore]
    """Repository name of the fleet -> where its credentials are kept."""
    prober: ServiceProber
    resource_drifts: ResourceDrifts
    judge: PolicyJudge
    facts: FactBook
    """Where facts of hosts are kept."""
    drills: Callable[[], Sequence[Drill]]
    """Restores of the stack that earlier runs reported."""
    chains: Callable[[], Collection[str]]
    """Ids of the evidence chains of this installation."""
    listing: ProviderListing
    """What the fleet's provider really has."""
    rotation: Rotation
    """How credentials are changed."""
    neighbours: Callable[[], Sequence[str]]
    """Other stacks that live on this installation."""
    outside: Callable[[str, float], str]
    """Runs the probing program on the control machine: (request, seconds) -> what it printed."""
    images: ServerImages | None = None
    """What servers are made from, where the fleet's provider can have it made ready."""
    prices: PriceBook | None = None
    """What resources cost; None where the client has no price book."""
    shown_key: Callable[[ServerOutput], str] = no_key
    """The host key that a server shows now, whatever is pinned."""
    vault_cause: Callable[[str, str], str] = lambda _repository, _said: ""
    """(repository, what a host was told by its vault) -> what of the vault itself explains it, or ''."""
    end_killed: Callable[[Sequence[ServerOutput], HostShell], None] = lambda _servers, _shell: None
    """Ends on these servers what earlier runs that were killed left at work there."""
    spoken: Callable[[], Sequence[HostTime]] = tuple
    """With which of the stack's servers, and when, since this was last asked."""
    ready_seconds: float = 180.0
    """How long a server may take to become ready."""
