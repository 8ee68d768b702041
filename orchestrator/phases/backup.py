"""backup: take what is due, and prove by the store's receipts what there is."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

from orchestrator.backups.documents import BackupStatus
from orchestrator.backups.freshness import by_snapshot, is_due, judge, newest_first
from orchestrator.backups.hosts import host_status, take_backup
from orchestrator.errors import ToolError
from orchestrator.parallel import for_each
from orchestrator.phases.enrol import StoreOf
from orchestrator.ports import Clock, HostShell, Receipt, Say
from orchestrator.reporting.model import Backup
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

_PARALLEL = 16


@dataclass(frozen=True)
class BackupRequest:
    """Which servers and plans; `only_due` leaves out a plan whose newest receipt is younger than its RPO."""

    fleet: Fleet
    servers: Sequence[ServerOutput]
    run: str
    only_due: bool = True
    plans: Sequence[str] = ()

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
    """The rows for the report, and the receipts for the ledger."""

    rows: Sequence[Backup]
    receipts: Sequence[Receipt]


def backup(
    request: BackupRequest, shell: HostShell, store_of: StoreOf, clock: Clock, say: Say
) -> BackupsFound:
    """Take what is due on every server at once, then judge everything again."""
    before = look(request, shell, store_of, clock)
    due = {(row.server, row.plan) for row in before.rows if not request.only_due or is_due(row)}
    if not due:
        return before

    def take(server: ServerOutput, stopping: Event) -> None:
        for plan in request.fleet.plans_of(server.group):
            if (server.name, plan) in due and not stopping.is_set():
                say(f"{plan}/{server.name}: {_take(server, plan, request.run, shell)}")

    for_each(request.servers, take, at_once=_PARALLEL)
    return look(request, shell, store_of, clock)


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
    known, now = by_snapshot(receipts), clock.now()
    rows = [
        judge(
            plan, request.fleet.backups[plan], server.name, server.incarnation,
            statuses[server.name], known, now, request.run,
        )
        for server, plan in pairs
    ]  # fmt: skip
    rows = [
        row.model_copy(update={"repository": request.fleet.repository_label(row.repository)}) for row in rows
    ]
    own = {server.incarnation for server in request.servers}
    return BackupsFound(newest_first(rows), [receipt for receipt in receipts if receipt.repository in own])


def _status(shell: HostShell, server: ServerOutput) -> BackupStatus | None:
    try:
        return host_status(shell, server)
    except ToolError:
        return None  # told in the row: a host that does not answer has no verdict


def _receipts(fleet: Fleet, plans: Sequence[str], store_of: StoreOf) -> list[Receipt]:
    repositories = dict.fromkeys(fleet.backups[plan].repository for plan in plans)
    return [receipt for name in repositories for receipt in store_of(name).receipts()]


def _take(server: ServerOutput, plan: str, run: str, shell: HostShell) -> str:
    """Take one backup and say in a few words how it went; the store's receipts judge it afterwards."""
    try:
        done = take_backup(shell, server, plan, run)
    except ToolError as problem:
        return str(problem)
    return f"snapshot {(done.snapshot or '')[:8]}" if done.ok else f"failed: {done.error}"
