"""What a run has found so far; each step adds its part, and the report is drawn from whatever is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.backups.documents import RestoreResult
from orchestrator.ports import PlayResult, Preview, Provisioned
from orchestrator.reporting.model import Backup, Check, Host, PolicyResult, Step
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
    provisioned: Provisioned | None = None
    outputs: FleetOutputs | None = None
    readiness: Sequence[Readiness] = ()
    play: PlayResult | None = None
    backups: Sequence[Backup] = ()
    checks: Sequence[Check] = ()
    restored: RestoreResult | None = None

    def policies(self) -> Sequence[PolicyResult]:
        """What the pack said last: with the values of `up` where there was one, else of the preview."""
        last = self.provisioned.policies if self.provisioned else ()
        return last or (self.preview.policies if self.preview else ())

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
                name=each.server, ok=0, changed=0, failed=1, unreachable=True, duration_seconds=each.seconds,
                failed_task=f"ready: {each.missing}", message=each.message,
                retry=retry.replace("{host}", each.server),
            )
            for each in self.readiness
            if each.missing
        ]  # fmt: skip
        return [*never, *(self.play.hosts if self.play else ())]
