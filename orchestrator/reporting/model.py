"""The one record of a run: every format (terminal, HTML, Markdown, JSON) is drawn from it alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pydantic import ConfigDict, Field

from orchestrator.reporting.patched import Patched
from orchestrator.reporting.planning import Cost, DataLoss, HostPlan, Interruption, PropertyChange
from orchestrator.reporting.record import Record
from orchestrator.reporting.seen import BackupHistory, HostSpan, HostTime, PolicyFigures, Restore, Unrestored
from policies.model import stops

SCHEMA: Final = "steward.report/2"
Severity = Literal["critical", "high", "medium", "low"]


class StepState(StrEnum):
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    STOPPED = "stopped"


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class Step(Record):
    """One step that was begun; `message` says what it did or why it ended as it did.

    `hosts`: the servers it spoke with itself; what a play did is in the report's hosts.
    """

    name: str
    phase: str
    state: StepState
    started_at: datetime
    duration_seconds: float
    message: str = ""
    effect: Literal["read", "write"] = "read"
    hosts: Sequence[HostTime] = ()


class Network(Record):
    name: str
    cidr: str


class FleetServer(Record):
    """One server as the fleet file describes it, whether or not it exists."""

    name: str
    group: str
    network: str
    cpus: float
    memory_gib: float
    roles: Sequence[str] = ()
    volumes: Sequence[str] = ()


class Server(FleetServer):
    """One running server; `urls` can be opened from the control machine."""

    incarnation: str
    address: str
    ssh: str
    urls: Sequence[str] = ()


class Flow(Record):
    """An allowed flow; `source` is `anywhere`, a server group, or a CIDR (with its stack, when known)."""

    source: str
    target: str
    port: int
    protocol: str


class Service(Record):
    """A service, what was promised, and what was seen of it from outside in this run and earlier ones.

    `looks` counts requests since `since`, each a single moment; `answered` those that got what was expected.
    """

    name: str
    purpose: str
    owner: str
    availability_percent: float | None
    servers: Sequence[str]
    maintenance: str = ""
    probe: str = ""
    looks: int = 0
    answered: int = 0
    since: datetime | None = None


class Probe(Record):
    """One request to one server of a service, from the control machine; `observed` is its answer in words."""

    service: str
    server: str
    url: str
    expected: str
    verdict: Verdict
    observed: str
    at: datetime
    seconds: float = 0.0


class Change(Record):
    """One resource that is made, altered or removed, or would be (`same` is never listed).

    `reasons` say why it is replaced and not changed in place; `protected` ones are refused by Pulumi.
    """

    op: Literal["create", "update", "replace", "delete"]
    kind: str
    name: str
    urn: str
    detail: str = ""
    server: str = ""
    properties: Sequence[PropertyChange] = ()
    reasons: Sequence[str] = ()
    interrupts: Sequence[Interruption] = ()
    loses: DataLoss | None = None
    protected: bool = False

    @property
    def restarts(self) -> bool:
        """Whether a server that is changed in place stops for a moment; its reasons then say why."""
        return self.op == "update" and any(reason.startswith("restarted: ") for reason in self.reasons)


class Host(Record):
    """What the playbooks did on one host; `retry` is the command that repeats just that.

    `duration_seconds` is the time its tasks took; `spans` say when, in order, with waits for other hosts.
    `unchanged_since` is the run after which nothing differs on the host, so that they had nothing to do;
    that is the host's own word, and rows of tables and /srv are not looked at.
    """

    name: str
    ok: int
    changed: int
    failed: int
    unreachable: bool
    duration_seconds: float = 0.0
    failed_task: str = ""
    message: str = ""
    retry: str = ""
    unchanged_since: str = ""
    spans: Sequence[HostSpan] = ()


class Backup(Record):
    """The newest snapshot of one plan on one server that arrived in the vault; times are the vault's.

    `looked_at` is false where the run left the pair out; it is then neither good nor a finding.
    """

    plan: str
    server: str
    repository: str
    snapshot: str
    arrived_at: datetime | None
    age_seconds: float | None
    rpo_seconds: float
    rto_seconds: float
    bytes: int = 0
    taken_in_this_run: bool = False
    next_at: datetime | None = None
    schedule: str = ""
    keep: dict[str, int] = Field(default_factory=dict)
    verdict: Verdict = Verdict.UNKNOWN
    message: str = ""
    looked_at: bool = True
    unrestored: Unrestored | None = None
    """What lies with predecessors of the server alone; no young snapshot then makes the row good."""


class Check(Record):
    """One verification on a host: what was looked at, what was expected, what was seen, and by whom.

    `witness` is `host` where the host speaks of itself, else the names of the places that looked at it.
    """

    server: str
    check: str
    title: str
    verdict: Verdict
    observed: str = ""
    expected: str = ""
    witness: str = "host"


class PolicyResult(Record):
    """One (rule, subject) pair as the pack judged it."""

    rule: str
    severity: Severity
    state: Literal["pass", "fail", "waived", "baselined", "not_applicable", "unknown", "error", "not_run"]
    enforcement: str
    subject: str
    kind: str
    urn: str = ""
    profile: str = ""
    observed: str = ""
    expected: str = ""
    path: str = ""
    message: str = ""
    remediation: str = ""

    @property
    def blocks(self) -> bool:
        """Whether this row alone stops a change."""
        return stops(self.state, self.enforcement)


class Finding(Record):
    """Something a person must act on, whoever found it; `unjudged`: nobody could tell good from bad."""

    source: Literal["policy", "check", "service", "backup", "host", "run", "cost", "drift"]
    severity: Severity
    blocking: bool
    subject: str
    title: str
    observed: str = ""
    expected: str = ""
    fix: str = ""
    rule: str = ""
    unjudged: bool = False


class Report(Record):
    """Everything about one run. `complete` is false when an error, told in `problem`, ended it early.

    `changes` were made, `planned` were not; with `changes_known` false nobody knows what was made. `servers`
    exist; they say nothing while `servers_looked_at` is false. `fleet_servers` are those of the fleet file.
    """

    schema_: Literal["steward.report/2"] = Field(SCHEMA, alias="schema")
    run: str
    verb: str
    stack: str
    stack_id: str = ""
    client: str
    environment: str
    region: str
    provider: str
    owner: str
    actor: str
    steward_version: str
    fleet_file: str
    fleet_digest: str
    tool_versions: dict[str, str] = Field(default_factory=dict)
    started_at: datetime
    finished_at: datetime
    exit_code: int
    complete: bool
    problem: str = ""
    budget: str = ""
    steps: Sequence[Step] = ()
    networks: Sequence[Network] = ()
    fleet_servers: Sequence[FleetServer] = ()
    servers_looked_at: bool = True
    servers: Sequence[Server] = ()
    flows: Sequence[Flow] = ()
    services: Sequence[Service] = ()
    planned: Sequence[Change] = ()
    state_at: datetime | None = None
    cost: Cost | None = None
    host_plans: Sequence[HostPlan] = ()
    changes_known: bool = True
    changes: Sequence[Change] = ()
    unchanged: int = 0
    hosts: Sequence[Host] = ()
    patched: Sequence[Patched] = ()
    backups: Sequence[Backup] = ()
    calendar: Sequence[BackupHistory] = ()
    restore: Restore | None = None
    probes: Sequence[Probe] = ()
    checks: Sequence[Check] = ()
    policies: Sequence[PolicyResult] = ()
    policy_figures: PolicyFigures | None = None
    findings: Sequence[Finding] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
