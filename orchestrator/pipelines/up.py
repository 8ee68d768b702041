"""The order of `steward up`, from plan to proof, and when it stops."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.errors import ToolError
from orchestrator.phases import prepare as prepare_phase
from orchestrator.phases import supply as supply_phase
from orchestrator.phases import verify as verify_phase
from orchestrator.phases.collect import never_ready
from orchestrator.phases.judge import not_asked, unchanged_since
from orchestrator.phases.reach import check_wanted, left_out
from orchestrator.phases.ready import silent
from orchestrator.pipelines.backup import backup_steps
from orchestrator.pipelines.configure import converge_steps
from orchestrator.pipelines.live import live_steps
from orchestrator.pipelines.plan import plan_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.pipelines.verify import probe_steps
from orchestrator.ports.provisioning import Preview, Provisioned
from orchestrator.results import RunResults


def up_steps(
    adapters: Adapters, results: RunResults, wanted: Sequence[str] = (), *, refresh: bool = False
) -> Steps:
    """plan → judge → prepare → provision → ready → enrol → configure → back up → verify."""
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
    yield from prepare_steps(adapters, results.preview)
    if results.preview.changes or results.preview.differs:
        act = partial(provision, adapters, results, refresh=refresh)
        yield Step("provision", "up", "write", act, lambda done: f"{len(done.changes)} changed")


def prepare_steps(adapters: Adapters, found: Preview) -> Steps:
    """Get images ready for servers that will be made, where their provider takes such."""
    wanted = prepare_phase.wanted_images(adapters.target.loaded.fleet, found.changes, adapters.roles)
    if wanted and adapters.images is not None:
        act = partial(prepare_phase.prepare, wanted, adapters.images, adapters.say)
        yield Step("prepare", "up", "write", act, prepare_phase.summary)


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
    since = unchanged_since(results)
    if since:
        idle = [host.name for host in results.play.hosts] if results.play else []
        others = {**left_out(fleet, idle, wanted), **never_ready(results.readiness)}
        results.judgement = not_asked(results.judgement, since, idle, others)
    else:
        yield from live_steps(adapters, results, results.outputs, access, healthy, wanted)
