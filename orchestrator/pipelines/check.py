"""What a plan says of hosts: by their records alone, or by a run of the playbooks that changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.inventory.build import build_inventory
from orchestrator.inventory.declared import declared
from orchestrator.phases.check import known_access, out_of_question, out_of_reach, summary, to_configure
from orchestrator.phases.ready import STANDING_SECONDS, ready
from orchestrator.phases.supply import supply
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.plays import PlayRequest, PlayResult
from orchestrator.reporting.planning import HostPlan
from orchestrator.results import RunResults
from stacks.outputs import FleetOutputs, ServerOutput


def check_steps(adapters: Adapters, results: RunResults) -> Steps:
    """A plan for each host of the fleet, in its order; follows the preview."""
    fleet, outputs = adapters.target.loaded.fleet, results.outputs
    changes = results.preview.changes if results.preview else ()
    plans = out_of_question(fleet, outputs, changes)
    names = [name for _, name in fleet.server_names()]
    servers = (
        [each for each in outputs.servers if each.name in names and each.name not in plans] if outputs else []
    )
    if servers and outputs is not None:
        access = adapters.hosts(adapters.target.stack.name, outputs.servers)
        wait = partial(ready, servers, access.shell, adapters.say, connect_seconds=STANDING_SECONDS)
        readiness = yield Step("ready", "check", "read", wait, lambda found: f"{len(found)} servers asked")
        plans |= out_of_reach(readiness)
        act = partial(
            _checked, adapters, outputs, access, [each for each in servers if each.name not in plans]
        )
        found = yield Step("check", "check", "read", act, summary)
        plans |= {each.name: each for each in found}
    results.host_plans = [plans[name] for name in names if name in plans]


def due_steps(adapters: Adapters, results: RunResults) -> Steps:
    """Which hosts `up` would configure, by their last converge alone; follows the preview, asks no host."""
    fleet, outputs = adapters.target.loaded.fleet, results.outputs
    changes = results.preview.changes if results.preview else ()
    anew = out_of_question(fleet, outputs, changes)
    names = {name for _, name in fleet.server_names()} - anew.keys()
    if outputs is None or not names:
        return
    stay = [server for server in outputs.servers if server.name in names]
    book = adapters.hosts(adapters.target.stack.name, outputs.servers).convergence
    act = partial(book.due, declared(fleet, outputs), stay)
    due = yield Step(
        "due", "check", "read", act, lambda found: f"{len(found)} of {len(stay)} hosts to configure"
    )
    results.host_plans = to_configure(due)


def _checked(
    adapters: Adapters, outputs: FleetOutputs, access: HostAccess, servers: Sequence[ServerOutput]
) -> list[HostPlan]:
    fleet = adapters.target.loaded.fleet
    repositories, without = known_access(fleet, servers, adapters.store, adapters.credentials)
    able = [server for server in servers if server.name not in without]
    if not able:
        return list(without.values())
    names = [server.name for server in able]
    supplies = supply(fleet, able, adapters.supplier, adapters.roles)
    inventory = build_inventory(
        fleet, outputs, adapters.run, adapters.binaries, repositories, names, supplies,
        lock_seconds=adapters.ready_seconds,
    )  # fmt: skip
    request = PlayRequest(
        playbook="site.yml",
        inventory=inventory,
        hosts=names,
        run=adapters.run,
        private_keys=access.private_keys,
        known_hosts=access.known_hosts,
        control_path=access.control_path,
        check=True,
    )
    play: PlayResult = adapters.playbooks(access, able).run(request, adapters.say)
    return [*without.values(), *play.plans]
