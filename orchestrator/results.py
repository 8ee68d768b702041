"""What a run has found so far; each step adds its part, and the report is drawn from whatever is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.backups.documents import BackupStatus, RestoreResult
from orchestrator.ports.backups import Receipt
from orchestrator.ports.plays import PlayResult
from orchestrator.ports.policies import Judgement, Known
from orchestrator.ports.provisioning import Preview, Provisioned
from orchestrator.reporting.drift import DriftSubject
from orchestrator.reporting.model import Backup, Check, Host, PolicyResult, Probe, Step
from orchestrator.reporting.patched import Patched
from orchestrator.reporting.planning import Cost, HostPlan
from orchestrator.reporting.seen import Unrestored
from orchestrator.verification.reach import Tried
from policies.subjects.steps import PlannedStep
from stacks.outputs import FleetOutputs, ServerOutput


@dataclass(frozen=True)
class Readiness:
    """How far one server came; `missing` is the step that never came, '' when it is ready."""

    server: str
    seconds: float
    missing: str = ""
    message: str = ""


@dataclass
class RunResults:
    """None or empty means that the step did not come to it."""

    steps: list[Step] = field(default_factory=list)
    preview: Preview | None = None
    cost: Cost | None = None
    host_plans: Sequence[HostPlan] = ()
    provisioned: Provisioned | None = None
    outputs: FleetOutputs | None = None
    readiness: Sequence[Readiness] = ()
    play: PlayResult | None = None
    backups: Sequence[Backup] = ()
    checks: Sequence[Check] = ()
    patched: Sequence[Patched] = ()
    receipts: Sequence[Receipt] = ()
    statuses: Mapping[str, BackupStatus | None] | None = None
    """What hosts said of their plans; None where nobody asked."""
    probes: Sequence[Probe] = ()
    drift: Sequence[DriftSubject] = ()
    restored: RestoreResult | None = None
    restored_on: str = ""
    restored_from: str = ""
    """The repository that the restored snapshot lies in."""
    unrestored: Mapping[tuple[str, str], Unrestored] = field(default_factory=dict)
    """By (plan, server): what lies with predecessors alone; of pairs that were looked at."""
    kept: Sequence[str] = ()
    """What `destroy` leaves in vaults of other stacks, in words."""
    tried: Sequence[Tried] = ()
    going: Sequence[PlannedStep] = ()
    """What `destroy` would delete."""
    seen: Known = field(default_factory=Known)
    """What rules can read beside plan and costs."""
    judgement: Judgement | None = None

    def policies(self) -> Sequence[PolicyResult]:
        """What rules said last of each pair: the engine's pack of resources, and we of everything else."""
        return [*self.engine_policies(), *(self.judgement.rows if self.judgement else ())]

    def engine_policies(self) -> Sequence[PolicyResult]:
        """What the pack said last of each (rule, subject) pair: by `up` where it came to it, else before."""
        judged: dict[tuple[str, str], list[PolicyResult]] = {}
        for found in (self.preview, self.provisioned):
            judged |= _by_pair(found.policies if found else ())
        return [result for results in judged.values() for result in results]

    def reachable(self, wanted: Sequence[str] = ()) -> list[ServerOutput]:
        """Servers that passed the gate, of those that are wanted (all when none is named)."""
        stuck = {each.server for each in self.readiness if each.missing}
        servers = self.outputs.servers if self.outputs else ()
        return [s for s in servers if s.name not in stuck and (not wanted or s.name in wanted)]

    def healthy(self, wanted: Sequence[str] = ()) -> list[ServerOutput]:
        """Reachable servers that the playbooks did not fail on."""
        failed = {
            host.name for host in (self.play.hosts if self.play else ()) if host.failed or host.unreachable
        }
        return [server for server in self.reachable(wanted) if server.name not in failed]

    def hosts(self, retry: str) -> list[Host]:
        """Outcome per host: those that never became ready, then what the playbooks did."""
        never = [
            Host(
                name=each.server, ok=0, changed=0, failed=1, unreachable=each.missing in ("tcp", "ssh"),
                duration_seconds=each.seconds,
                failed_task=f"ready: {each.missing}", message=each.message,
                retry=retry.replace("{host}", each.server),
            )
            for each in self.readiness
            if each.missing
        ]  # fmt: skip
        return [*never, *(self.play.hosts if self.play else ())]


def _by_pair(policies: Sequence[PolicyResult]) -> dict[tuple[str, str], list[PolicyResult]]:
    """Results by rule and subject; a rule of the whole stack has a subject without a URN."""
    pairs: dict[tuple[str, str], list[PolicyResult]] = {}
    for result in policies:
        pairs.setdefault((result.rule, result.urn or f"{result.kind} {result.subject}"), []).append(result)
    return pairs
