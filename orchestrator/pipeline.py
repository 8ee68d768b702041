"""The order in which a run goes, and when it stops. Pure order: a StepRunner executes what is yielded."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.errors import InputError, ToolError
from orchestrator.inventory.build import build_inventory
from orchestrator.phases import backup as backup_phase
from orchestrator.phases import destroy as destroy_phase
from orchestrator.phases import plan as plan_phase
from orchestrator.phases import probe as probe_phase
from orchestrator.phases import supply as supply_phase
from orchestrator.phases import verify as verify_phase
from orchestrator.phases.configure import ConfigureRequest, configure
from orchestrator.phases.diagnose import diagnose_play
from orchestrator.phases.effects import losing, with_effects, with_saved
from orchestrator.phases.enrol import enrol
from orchestrator.phases.reach import check_wanted, of_fleet
from orchestrator.phases.ready import STANDING_SECONDS, ready, silent
from orchestrator.ports import PlayResult, Preview, Provisioned
from orchestrator.results import Readiness, RunResults
from stacks.outputs import FleetOutputs, ServerOutput


@dataclass(frozen=True)
class Step:
    """One step: `act` does it, `tell` says in a few words what came out; `effect` is what repeating costs."""

    name: str
    phase: str
    effect: Literal["read", "write"]
    act: Callable[[], Any]
    tell: Callable[[Any], str] = lambda _: ""


Steps = Generator[Step, Any, None]


def plan_steps(
    adapters: Adapters,
    results: RunResults,
    *,
    refresh: bool = False,
    hosts: Callable[[], Steps] | None = None,
) -> Steps:
    """Look, judge, change nothing; `hosts` are steps that ask the hosts, too, before the plan is refused."""
    target = adapters.target
    results.outputs = known_outputs(adapters)
    preview = partial(plan_phase.plan, target, adapters.provisioner, refresh=refresh)
    found: Preview = yield Step("plan", "plan", "read", preview, plan_phase.summary)
    results.preview = replace(found, changes=with_effects(target.loaded.fleet, found.changes))
    results.cost = plan_phase.cost(target, found, adapters.prices)
    if losing(results.preview.changes):
        ages = yield Step("saved", "plan", "read", partial(newest_saved, adapters, results), _saved)
        results.preview = replace(results.preview, changes=with_saved(results.preview.changes, *ages))
    if hosts is not None:
        yield from hosts()
    plan_phase.refuse_if_blocked(target, results.preview)
    plan_phase.refuse_if_over_budget(target, results.cost)


def newest_saved(adapters: Adapters, results: RunResults) -> tuple[dict[str, float], str]:
    """The age in seconds of each server's newest snapshot in the vaults; and why none is known.

    A repository has the id of the server's incarnation, so that the vault alone can tell.
    """
    servers = results.outputs.servers if results.outputs else ()
    names = {server.incarnation: server.name for server in servers}
    now, found = adapters.clock.now(), dict[str, float]()
    try:
        for repository in adapters.target.loaded.fleet.repositories:
            for receipt in adapters.store(repository).receipts():
                if receipt.repository in names:
                    name, age = names[receipt.repository], (now - receipt.arrived_at).total_seconds()
                    found[name] = min(age, found.get(name, age))
    except (InputError, ToolError) as problem:
        return found, f"the vault could not be asked: {problem.message}"
    return found, ""


def _saved(found: tuple[dict[str, float], str]) -> str:
    return found[1] or f"newest snapshots of {len(found[0])} servers"


def known_outputs(adapters: Adapters) -> FleetOutputs | None:
    """What the stack had before this run; None for a new one, or one whose making never ended."""
    try:
        return adapters.provisioner.outputs(adapters.target.stack.name)
    except ToolError:
        return None


def up_steps(
    adapters: Adapters, results: RunResults, wanted: Sequence[str] = (), *, refresh: bool = False
) -> Steps:
    """plan → judge → provision → ready → enrol → configure → back up → verify."""
    check_wanted(adapters.target.loaded.fleet, wanted)
    supply_phase.check_secrets(adapters.target.loaded.fleet, adapters.supplier)
    check_vaults(adapters)
    yield from provision_steps(adapters, results, refresh=refresh)
    if not (refresh or results.provisioned):
        yield from heal_steps(adapters, results)
    yield from converge_steps(adapters, results, wanted, always=False)
    yield from proof_steps(adapters, results, wanted)


def provision_steps(adapters: Adapters, results: RunResults, *, refresh: bool) -> Steps:
    """Plan, and make it so where something differs."""
    yield from plan_steps(adapters, results, refresh=refresh)
    assert results.preview is not None  # noqa: S101  # plan_steps ends in a preview or an error
    if results.preview.changes or results.preview.differs:
        act = partial(provision, adapters, results, refresh=refresh)
        yield Step("provision", "up", "write", act, lambda done: f"{len(done.changes)} changed")


def check_vaults(adapters: Adapters) -> None:
    """Refuse, before anything is made, plans whose vault is not up; raises InputError."""
    fleet = adapters.target.loaded.fleet
    for repository in {plan.repository for plan in fleet.backups.values()}:
        if fleet.repositories[repository].stack is not None:
            adapters.store(repository)


def heal_steps(adapters: Adapters, results: RunResults) -> Steps:
    """The state says all is there: where a server does not even accept a connection, look what really is."""
    servers = adapters.provisioner.outputs(adapters.target.stack.name).servers
    gone = silent(servers)
    if gone:
        adapters.say(f"{', '.join(gone)} not answering: comparing the state with what is really there")
        yield from provision_steps(adapters, results, refresh=True)


def provision(adapters: Adapters, results: RunResults, *, refresh: bool) -> Provisioned:
    """Make it so; what was made is kept for the report also when the rest failed, which is an error."""
    done = results.provisioned = adapters.provisioner.up(adapters.target, refresh=refresh)
    if done.failure:
        raise ToolError(
            adapters.target.stack.name, f"{len(done.changes)} resources were changed, but not all:\n  "
            + done.failure.replace("\n", "\n  "),
            next_step="The state holds what was made; mend the cause and run steward up again.",
        )  # fmt: skip
    return done


def converge_steps(
    adapters: Adapters, results: RunResults, wanted: Sequence[str] = (), *, always: bool = True
) -> Steps:
    """Everything from the outputs of a stack to configured hosts; `always` also where nothing differs."""
    outputs, access = yield from reach_steps(adapters, results, wanted)
    fleet = adapters.target.loaded.fleet
    repositories: Any = {}
    if any(fleet.servers[server.group].backup for server in results.reachable(wanted)):
        act = partial(
            enrol, fleet, outputs, results.reachable(wanted), adapters.store, adapters.credentials,
            adapters.clock.now(), adapters.say,
        )  # fmt: skip
        repositories = yield Step("enrol", "enrol", "write", act, lambda found: f"{len(found)} repositories")
    gather = partial(supply_phase.supply, fleet, results.reachable(wanted), adapters.supplier, adapters.roles)
    supplies = yield Step("supply", "supply", "read", gather, supply_phase.summary)
    inventory = build_inventory(
        fleet, outputs, adapters.run, adapters.binaries, repositories, supplies=supplies
    )
    request = ConfigureRequest(
        inventory=inventory,
        servers=results.reachable(wanted),
        run=adapters.run,
        private_key=access.private_key,
        known_hosts=access.known_hosts,
        control_path=access.control_path,
        always=always,
    )
    runner = adapters.playbooks(access, results.reachable(wanted))
    if request.servers:

        def converge() -> PlayResult:
            play = configure(request, runner, access.convergence, adapters.say)
            return diagnose_play(play, request.servers, access.shell, adapters.say)

        results.play = yield Step("configure", "configure", "write", converge, _configured)


def proof_steps(adapters: Adapters, results: RunResults, wanted: Sequence[str] = ()) -> Steps:
    """Take due backups and look at every healthy host."""
    healthy = results.healthy(wanted)
    assert results.outputs is not None  # noqa: S101  # converge_steps set it
    access = adapters.hosts(adapters.target.stack.name, results.outputs.servers)
    if any(adapters.target.loaded.fleet.servers[server.group].backup for server in healthy):
        yield from backup_steps(adapters, results, access, healthy)
    fleet = adapters.target.loaded.fleet
    look = partial(verify_phase.verify, fleet, healthy, access.verifier, adapters.roles)
    results.checks = yield Step("verify", "verify", "read", look, verify_phase.summary)
    yield from probe_steps(adapters, results, healthy)


def probe_steps(adapters: Adapters, results: RunResults, servers: Sequence[ServerOutput]) -> Steps:
    """Ask the services from outside, where the fleet says how."""
    fleet = adapters.target.loaded.fleet
    if probe_phase.probed_services(fleet):
        ask = partial(probe_phase.probe, fleet, servers, adapters.prober, adapters.clock)
        results.probes = yield Step("probe", "verify", "read", ask, probe_phase.summary)


def destroy_steps(adapters: Adapters, results: RunResults, allowed: Sequence[str]) -> Steps:
    """Read the state, refuse while data would go, delete."""
    stack = adapters.target.stack.name
    check = partial(destroy_phase.check, stack, adapters.provisioner, allowed)
    bearing = yield Step(
        "state", "destroy", "read", check, lambda found: f"{len(found)} bear data, all named"
    )
    act = partial(destroy_phase.destroy, stack, adapters.provisioner, bearing)
    gone = yield Step("destroy", "destroy", "write", act, lambda gone: f"{len(gone)} resources deleted")
    results.provisioned = Provisioned(tuple(gone), 0)


def verify_steps(adapters: Adapters, results: RunResults, wanted: Sequence[str] = ()) -> Steps:
    """Look at servers that exist; change nothing."""
    _, access = yield from reach_steps(adapters, results, wanted)
    fleet, servers = adapters.target.loaded.fleet, results.reachable(wanted)
    look = partial(verify_phase.verify, fleet, servers, access.verifier, adapters.roles)
    results.checks = yield Step("verify", "verify", "read", look, verify_phase.summary)
    yield from probe_steps(adapters, results, servers)


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
    request = backup_phase.BackupRequest(
        adapters.target.loaded.fleet, servers, adapters.run, only_due, plans,
        outputs=results.outputs, first_seen=adapters.ledger.first_seen,
        vault_cause=adapters.vault_cause,
    )  # fmt: skip

    def act() -> backup_phase.BackupsFound:
        found = backup_phase.backup(request, access.shell, adapters.store, adapters.clock, adapters.say)
        adapters.ledger.record_receipts(adapters.target.stack.name, adapters.run, found.receipts)
        return found

    found = yield Step("backup", "backup", "write", act, _backed_up)
    results.backups, results.receipts = found.rows, found.receipts


def reach_steps(
    adapters: Adapters, results: RunResults, wanted: Sequence[str] = ()
) -> Generator[Step, Any, tuple[FleetOutputs, HostAccess]]:
    """Read the outputs of the stack and wait for its servers."""
    stack, fleet = adapters.target.stack.name, adapters.target.loaded.fleet
    check_wanted(fleet, wanted)
    read = partial(adapters.provisioner.outputs, stack)
    found = yield Step("outputs", "up", "read", read, lambda found: f"{len(found.servers)} servers")
    outputs = results.outputs = of_fleet(fleet, found, wanted)
    access = adapters.hosts(stack, outputs.servers)
    servers = [server for server in outputs.servers if not wanted or server.name in wanted]
    limit = adapters.ready_seconds
    patience = limit if results.provisioned else min(limit, STANDING_SECONDS)

    def wait() -> Sequence[Readiness]:
        adapters.end_killed(servers, access.shell)
        return ready(servers, access.shell, adapters.say, limit_seconds=limit, connect_seconds=patience)

    results.readiness = yield Step("ready", "ready", "read", wait, _ready)
    return outputs, access


def _ready(found: Sequence[Any]) -> str:
    stuck = [each.server for each in found if each.missing]
    text = f"{len(found) - len(stuck)} of {len(found)} servers ready"
    return text + (f"; not ready: {', '.join(stuck)}" if stuck else "")


def _configured(play: PlayResult) -> str:
    bad = [host.name for host in play.hosts if host.failed or host.unreachable]
    changed = sum(host.changed for host in play.hosts)
    idle = sum(1 for host in play.hosts if host.unchanged_since)
    text = f"{len(play.hosts) - len(bad) - idle} hosts, {changed} tasks changed something"
    text += f"; {idle} as their last converge left them" if idle else ""
    return text + (f"; failed: {', '.join(bad)}" if bad else "")


def _backed_up(found: backup_phase.BackupsFound) -> str:
    taken = sum(1 for row in found.rows if row.taken_in_this_run)
    return f"{taken} taken, {len(found.rows)} plans looked at"
