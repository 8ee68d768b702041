"""The order of the backup verbs, and of the backups that other verbs take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.backups.documents import RestoreResult, Snapshot
from orchestrator.backups.freshness import newest_first
from orchestrator.backups.hosts import list_snapshots
from orchestrator.backups.predecessors import Earlier, Pair, marked, told
from orchestrator.backups.retention import with_keep
from orchestrator.errors import InputError, ToolError
from orchestrator.phases import predecessors
from orchestrator.phases.backup import BackupRequest, BackupsFound, backup, look
from orchestrator.phases.lending import lent
from orchestrator.phases.reach import check_wanted
from orchestrator.phases.restore import RestoreRequest, check_request, choose, restore, told_source
from orchestrator.pipelines.live import losses_of
from orchestrator.pipelines.reach import reach_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.hosts import HostShell
from orchestrator.reporting.humanise import plural
from orchestrator.results import RunResults
from stacks.outputs import FleetOutputs, ServerOutput


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

    def act() -> BackupsFound:
        return with_losses(adapters, outputs, look(request, access.shell, adapters.store, adapters.clock))

    found: BackupsFound = yield Step(
        "backup", "backup", "read", act, lambda f: f"{len(f.rows)} plans looked at"
    )
    results.backups, results.receipts = found.rows, found.receipts
    results.unrestored = found.losses.pairs
    check_ready(adapters, results, wanted, plans)


def list_steps(
    adapters: Adapters,
    results: RunResults,
    wanted: Sequence[str],
    plans: Sequence[str],
    found: dict[str, list[Snapshot]],
) -> Steps:
    """Ask each server with a plan for its snapshots."""
    check_plans(adapters, plans)
    outputs, access = yield from reach_steps(adapters, results, wanted)
    fleet = adapters.target.loaded.fleet
    for server in results.reachable(wanted):
        for plan in [p for p in fleet.plans_of(server.group) if not plans or p in plans]:
            act = partial(list_snapshots, access.shell, server, plan)
            snapshots = yield Step("list", "backup", "read", act, lambda rows: plural(len(rows), "snapshot"))
            found.setdefault(server.name, []).extend(snapshots)
    ask = partial(earlier_of, adapters, outputs, wanted, plans)
    earlier = yield Step(
        "predecessors", "backup", "read", ask, lambda rows: plural(len(rows), "earlier snapshot")
    )
    for each in earlier:
        found.setdefault(each.of.server, []).append(each.snapshot)
    for server_name, held in found.items():
        found[server_name] = with_keep(held, fleet.backups)
    check_ready(adapters, results, wanted, plans)


def earlier_of(
    adapters: Adapters, outputs: FleetOutputs, wanted: Sequence[str], plans: Sequence[str]
) -> list[Earlier]:
    """Snapshots of predecessors of these servers and plans, oldest first; of all when none is named."""
    fleet, asked = adapters.target.loaded.fleet, (adapters.store, adapters.credentials)
    found = predecessors.find(fleet, outputs, *asked)
    of_servers = [each for each in found if not wanted or each.server in wanted]
    earlier, unread = predecessors.listed(of_servers, *asked)
    _say_unread(adapters, unread)
    return [each for each in earlier if not plans or each.snapshot.plan in plans]


def with_losses(adapters: Adapters, outputs: FleetOutputs, found: BackupsFound) -> BackupsFound:
    """What was found, in which no plan is good whose data lie with a predecessor of its server alone."""
    losses = losses_of(adapters, outputs)
    for (plan, server), lost in losses.pairs.items():
        adapters.say(f"{plan}/{server}: {told(lost)}")
    _say_unread(adapters, losses.unread)
    return replace(found, rows=newest_first(marked(found.rows, losses)), losses=losses)


def _say_unread(adapters: Adapters, unread: Mapping[str, str]) -> None:
    for server, why in unread.items():
        adapters.say(f"{server}: what its predecessors left in the vault cannot be read: {why}")


def accept_steps(
    adapters: Adapters, results: RunResults, wanted: Sequence[str], plans: Sequence[str]
) -> Steps:
    """Record that servers have what they need of their predecessors' backups; touches neither."""
    fleet, stack = adapters.target.loaded.fleet, adapters.target.stack.name
    check_wanted(fleet, wanted)
    check_plans(adapters, plans)
    read = partial(adapters.provisioner.outputs, stack)
    outputs = results.outputs = yield Step(
        "outputs", "up", "read", read, lambda f: plural(len(f.servers), "server")
    )
    act = partial(
        predecessors.accept,
        fleet,
        outputs,
        wanted,
        plans,
        adapters.ledger,
        adapters.run,
        adapters.clock.now(),
    )
    yield Step("accept", "backup", "write", act, _accepted)


def restore_steps(adapters: Adapters, results: RunResults, request: RestoreRequest) -> Steps:
    """Restore one snapshot on its server and compare; one of a predecessor by a loan that ends with it."""
    check_request(request, adapters.target.loaded.fleet)
    outputs, access = yield from reach_steps(adapters, results, [request.server])
    check_ready(adapters, results, [request.server], [request.plan])
    server = results.reachable([request.server])[0]
    look = partial(_source, adapters, request, outputs, server)
    source: Earlier | None = yield Step("source", "backup", "read", look, lambda s: told_source(s, server))
    act = partial(_restored, adapters, request, server, access.shell, source)
    restored: RestoreResult = yield Step(
        "restore", "backup", "write", act, lambda r: "same" if r.ok else "different"
    )
    results.restored, results.restored_on = restored, request.server
    results.restored_from = source.of.repository if source else server.incarnation


def _source(
    adapters: Adapters, request: RestoreRequest, outputs: FleetOutputs, server: ServerOutput
) -> Earlier | None:
    fleet, asked = adapters.target.loaded.fleet, (adapters.store, adapters.credentials)
    own = [each for each in predecessors.find(fleet, outputs, *asked) if each.server == server.name]
    if not own:
        return None
    listed, unread = predecessors.listed(own, *asked)
    _say_unread(adapters, unread)
    earlier = [each for each in listed if each.snapshot.plan == request.plan]
    lost = predecessors.left_behind(
        fleet, outputs.stack, [server], listed, adapters.ledger, adapters.provisioner.resources
    )
    return choose(request, earlier, lost=(request.plan, request.server) in lost)


def _restored(
    adapters: Adapters,
    request: RestoreRequest,
    server: ServerOutput,
    shell: HostShell,
    source: Earlier | None,
) -> RestoreResult:
    if source is None:
        return restore(request, server, shell)
    store, keeper = adapters.store(source.of.store), adapters.credentials(source.of.store)
    exact = request.model_copy(update={"snapshot": source.snapshot.id})
    stack, now = adapters.target.stack.name, adapters.clock.now()
    with lent(source.snapshot, store, keeper, stack, now, adapters.say) as given:
        return restore(exact, server, shell, given)


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
        assert results.outputs is not None  # noqa: S101  # whoever has servers knows the outputs
        return with_losses(adapters, results.outputs, found)

    found = yield Step("backup", "backup", "write", act, _backed_up)
    results.backups, results.receipts, results.statuses = found.rows, found.receipts, found.statuses
    results.unrestored = found.losses.pairs


def _accepted(pairs: Sequence[Pair]) -> str:
    return ", ".join(f"{plan}/{server}" for plan, server in pairs) + " accepted as they are"


def _backed_up(found: BackupsFound) -> str:
    taken = sum(1 for row in found.rows if row.taken_in_this_run)
    return f"{taken} taken, {len(found.rows)} plans looked at"
