"""backup: take what is due, and prove by the store's receipts what there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

from orchestrator.backups.documents import BackupRun, BackupStatus
from orchestrator.backups.freshness import FORGED, Evidence, by_snapshot, is_due, judge, newest_first
from orchestrator.backups.hosts import host_status, take_backup
from orchestrator.backups.predecessors import Losses
from orchestrator.errors import ToolError
from orchestrator.parallel import for_each
from orchestrator.phases.enrol import StoreOf
from orchestrator.ports.backups import Receipt
from orchestrator.ports.hosts import HostShell
from orchestrator.ports.run import Clock, Say
from orchestrator.reporting.model import Backup, Verdict
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs, ServerOutput

_PARALLEL = 16

FirstSeen = Callable[[Sequence[str]], Mapping[tuple[str, str], datetime]]
"""Repository ids -> the arrival that each of their snapshots had when first seen, see `Ledger.first_seen`."""


@dataclass(frozen=True)
class BackupRequest:
    """Which servers and plans; `only_due` leaves out a plan whose newest receipt is younger than its RPO.

    `outputs` tell the plans' ids; `first_seen` is what the ledger remembers of arrivals.
    """

    fleet: Fleet
    servers: Sequence[ServerOutput]
    run: str
    only_due: bool = True
    plans: Sequence[str] = ()
    outputs: FleetOutputs | None = None
    first_seen: FirstSeen | None = None
    vault_cause: Callable[[str, str], str] | None = None
    """(repository, what a host said) -> what of the vault explains it, see `Adapters.vault_cause`."""

    @property
    def plan_ids(self) -> Mapping[str, str]:
        """Ids of the plans by name, as far as they are known."""
        return {plan.name: plan.id for plan in self.outputs.plans} if self.outputs else {}

    def pairs(self) -> list[tuple[ServerOutput, str]]:
        """Every (server, plan) pair that was asked for."""
        return [
            (server, plan)
            for server in self.servers
            for plan in self.fleet.plans_of(server.group)
            if not self.plans or plan in self.plans
        ]


@dataclass(frozen=True)
class BackupsFound:
    """The rows for the report, the receipts for the ledger, and what the hosts said."""

    rows: Sequence[Backup]
    receipts: Sequence[Receipt]
    statuses: Mapping[str, BackupStatus | None] = field(default_factory=dict)
    """By server: what each said of its plans, None where it did not answer."""
    losses: Losses = field(default_factory=Losses)


@dataclass
class Attempts:
    """What taking backups ended in, by (server, plan): the snapshot that a host claims, or what failed."""

    claimed: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, server: ServerOutput, plan: str, done: BackupRun | ToolError) -> str:
        """Keep one result and tell it in a few words; only the store's receipts make a success of a claim."""
        if isinstance(done, ToolError):
            self.failed[server.name, plan] = text = str(done)
            return text
        if not done.ok:
            self.failed[server.name, plan] = text = f"failed: {done.error or 'no reason given'}"
            return text
        self.claimed[server.name, plan] = (server.incarnation, done.snapshot or "")
        return f"snapshot {(done.snapshot or '')[:8]}"

    def judge(self, row: Backup, receipts: Mapping[tuple[str, str], Receipt]) -> Backup:
        """The row, failed when the backup of this run failed, however young an older snapshot is."""
        pair = (row.server, row.plan)
        if pair in self.failed:
            message = f"the backup of this run: {self.failed[pair]}"
        elif row.verdict is Verdict.PASS and pair in self.claimed and self.claimed[pair] not in receipts:
            message = FORGED
        else:
            return row
        return row.model_copy(update={"verdict": Verdict.FAIL, "message": message})


def backup(
    request: BackupRequest, shell: HostShell, store_of: StoreOf, clock: Clock, say: Say
) -> BackupsFound:
    """Take what is due on every server at once, then judge everything again."""
    before = look(request, shell, store_of, clock)
    due = {(row.server, row.plan) for row in before.rows if not request.only_due or is_due(row)}
    if not due:
        return before
    attempts = Attempts()

    def take(server: ServerOutput, stopping: Event) -> None:
        for plan in request.fleet.plans_of(server.group):
            if (server.name, plan) in due and not stopping.is_set():
                done = _take(server, plan, request.run, shell)
                say(f"{plan}/{server.name}: {attempts.add(server, plan, done)}")

    for_each(request.servers, take, at_once=_PARALLEL)
    _explain(request, attempts, say)
    after = look(request, shell, store_of, clock)
    known = by_snapshot(after.receipts)
    return BackupsFound(
        newest_first([attempts.judge(row, known) for row in after.rows]), after.receipts, after.statuses
    )


def _explain(request: BackupRequest, attempts: Attempts, say: Say) -> None:
    """Before what a host was told stands what is wrong with the vault, where that is known."""
    for (server, plan), said in attempts.failed.items():
        repository = request.fleet.backups[plan].repository
        cause = request.vault_cause(repository, said) if request.vault_cause else ""
        if cause:
            attempts.failed[server, plan] = f"{cause}. The host said: {said}"
            say(f"{plan}/{server}: {cause}")


def look(request: BackupRequest, shell: HostShell, store_of: StoreOf, clock: Clock) -> BackupsFound:
    """Judge every pair by what the store has; takes nothing."""
    pairs = request.pairs()
    servers = list({server.name: server for server, _ in pairs}.values())
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        asked = pool.submit(_receipts, request.fleet, [plan for _, plan in pairs], store_of)
        statuses = dict(
            zip((s.name for s in servers), pool.map(lambda s: _status(shell, s), servers), strict=True)
        )
        receipts = asked.result()
    own = {server.incarnation for server in request.servers}
    first_seen = request.first_seen(sorted(own)) if request.first_seen else {}
    evidence = Evidence(by_snapshot(receipts), clock.now(), request.run, request.plan_ids, first_seen)
    rows = [
        judge(
            plan, request.fleet.backups[plan], server.name, server.incarnation,
            statuses[server.name], evidence,
        )
        for server, plan in pairs
    ]  # fmt: skip
    rows = [
        row.model_copy(update={"repository": request.fleet.repository_label(row.repository)}) for row in rows
    ]
    return BackupsFound(
        newest_first(rows), [receipt for receipt in receipts if receipt.repository in own], statuses
    )


def _status(shell: HostShell, server: ServerOutput) -> BackupStatus | None:
    try:
        return host_status(shell, server)
    except ToolError:
        return None  # told in the row: a host that does not answer has no verdict


def _receipts(fleet: Fleet, plans: Sequence[str], store_of: StoreOf) -> list[Receipt]:
    repositories = dict.fromkeys(fleet.backups[plan].repository for plan in plans)
    return [receipt for name in repositories for receipt in store_of(name).receipts()]


def _take(server: ServerOutput, plan: str, run: str, shell: HostShell) -> BackupRun | ToolError:
    """Take one backup; a host that could not even say how it went is a result too."""
    try:
        return take_backup(shell, server, plan, run)
    except ToolError as problem:
        return problem
