"""The order of the backup verbs, and of the backups that other verbs take."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.backups.documents import RestoreResult
from orchestrator.backups.hosts import list_snapshots
from orchestrator.errors import InputError, ToolError
from orchestrator.phases.backup import BackupRequest, BackupsFound, backup, look
from orchestrator.phases.restore import RestoreRequest, check_request, restore
from orchestrator.pipelines.reach import reach_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.reporting.humanise import plural
from orchestrator.results import RunResults
from stacks.outputs import ServerOutput


def run_steps(adapters: Adapters, results: RunResults, wanted: Sequence[str], plans: Sequence[str]) -> Steps:
    """Take backups whether or not they are due."""
    check_plans(adapters, plans)
    _, access = yield from reach_steps(adapters, results, wanted)
    servers = results.reachable(wanted)
    yield from backup_steps(adapters, results, access, servers, plans=plans, only_due=False)
    check_ready(adapters, results, wanted, plans)


def status_steps(
    adapters: Adapters, results: RunResults, wanted: Sequence[str], plans: Sequence[str]
) -> Steps:
    """Judge what there is."""
    check_plans(adapters, plans)
    outputs, access = yield from reach_steps(adapters, results, wanted)
    request = BackupRequest(
        adapters.target.loaded.fleet,
        results.reachable(wanted),
        adapters.run,
        True,
        plans,
        outputs=outputs,
        first_seen=adapters.ledger.first_seen,
    )
    act = partial(look, request, access.shell, adapters.store, adapters.clock)
    found: BackupsFound = yield Step(
        "backup", "backup", "read", act, lambda f: f"{len(f.rows)} plans looked at"
    )
    results.backups, results.receipts = found.rows, found.receipts
    check_ready(adapters, results, wanted, plans)


def list_steps(
    adapters: Adapters,
    results: RunResults,
    wanted: Sequence[str],
    plans: Sequence[str],
    found: dict[str, list[object]],
) -> Steps:
    """Ask each server with a plan for its snapshots."""
    check_plans(adapters, plans)
    _, access = yield from reach_steps(adapters, results, wanted)
    fleet = adapters.target.loaded.fleet
    for server in results.reachable(wanted):
        for plan in [p for p in fleet.plans_of(server.group) if not plans or p in plans]:
            act = partial(list_snapshots, access.shell, server, plan)
            snapshots = yield Step("list", "backup", "read", act, lambda rows: plural(len(rows), "snapshot"))
            found.setdefault(server.name, []).extend(snapshots)
    check_ready(adapters, results, wanted, plans)


def restore_steps(adapters: Adapters, results: RunResults, request: RestoreRequest) -> Steps:
    """Restore one snapshot on its server and compare."""
    check_request(request, adapters.target.loaded.fleet)
    _, access = yield from reach_steps(adapters, results, [request.server])
    check_ready(adapters, results, [request.server], [request.plan])
    server = results.reachable([request.server])[0]
    act = partial(restore, request, server, access.shell)
    restored: RestoreResult = yield Step(
        "restore", "backup", "write", act, lambda r: "same" if r.ok else "different"
    )
    results.restored, results.restored_on = restored, request.server


def check_ready(adapters: Adapters, results: RunResults, wanted: Sequence[str], plans: Sequence[str]) -> None:
    """Refuse to call it done while a server that was asked for, or that has such a plan, let nobody in."""
    fleet = adapters.target.loaded.fleet
    concerned = {
        name
        for group, name in fleet.server_names()
        if name in wanted or any(not plans or plan in plans for plan in fleet.plans_of(group))
    }
    stuck = [each for each in results.readiness if each.missing and each.server in concerned]
    if stuck:
        told = [f"{each.server} is not ready ({each.missing}): {each.message}" for each in stuck]
        raise ToolError(
            ", ".join(each.server for each in stuck), "; ".join(told),
            next_step="Run steward up, which brings back what is gone.",
        )  # fmt: skip


def check_plans(adapters: Adapters, plans: Sequence[str]) -> None:
    """Refuse a plan that the fleet does not have; raises InputError."""
    from stacks.fleet.mistakes import nearest

    known = adapters.target.loaded.fleet.backups
    for plan in plans:
        if plan not in known:
            raise InputError(
                adapters.target.stack.name, f"no backup plan named '{plan}'; {nearest(plan, known)}"
            )


def backup_steps(
    adapters: Adapters,
    results: RunResults,
    access: HostAccess,
    servers: Sequence[ServerOutput],
    *,
    plans: Sequence[str] = (),
    only_due: bool = True,
) -> Steps:
    """Take backups and keep the store's receipts."""
    request = BackupRequest(
        adapters.target.loaded.fleet, servers, adapters.run, only_due, plans,
        outputs=results.outputs, first_seen=adapters.ledger.first_seen,
        vault_cause=adapters.vault_cause,
    )  # fmt: skip

    def act() -> BackupsFound:
        found = backup(request, access.shell, adapters.store, adapters.clock, adapters.say)
        adapters.ledger.record_receipts(adapters.target.stack.name, adapters.run, found.receipts)
        return found

    found = yield Step("backup", "backup", "write", act, _backed_up)
    results.backups, results.receipts, results.statuses = found.rows, found.receipts, found.statuses


def _backed_up(found: BackupsFound) -> str:
    taken = sum(1 for row in found.rows if row.taken_in_this_run)
    return f"{taken} taken, {len(found.rows)} plans looked at"
