"""The order of `steward configure`: from the outputs of a stack to configured hosts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from orchestrator.adapters import Adapters
from orchestrator.inventory.build import build_inventory
from orchestrator.phases import supply as supply_phase
from orchestrator.phases.configure import ConfigureRequest, configure
from orchestrator.phases.diagnose import diagnose_play
from orchestrator.phases.enrol import enrol
from orchestrator.pipelines.reach import reach_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.plays import PlayResult
from orchestrator.reporting.humanise import plural
from orchestrator.results import RunResults


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
        repositories = yield Step(
            "enrol", "enrol", "write", act, lambda found: plural(len(found), "repository", "repositories")
        )
    gather = partial(supply_phase.supply, fleet, results.reachable(wanted), adapters.supplier, adapters.roles)
    supplies = yield Step("supply", "supply", "read", gather, supply_phase.summary)
    inventory = build_inventory(
        fleet, outputs, adapters.run, adapters.binaries, repositories, supplies=supplies,
        lock_seconds=adapters.ready_seconds,
    )  # fmt: skip
    request = ConfigureRequest(
        inventory=inventory,
        servers=results.reachable(wanted),
        run=adapters.run,
        private_keys=access.private_keys,
        known_hosts=access.known_hosts,
        control_path=access.control_path,
        always=always,
    )
    runner = adapters.playbooks(access, results.reachable(wanted))
    if request.servers:

        def converge() -> PlayResult:
            play = configure(request, runner, access.convergence, adapters.say)
            return diagnose_play(play, request.servers, access.shell, adapters.say)

        results.play = yield Step("configure", "configure", "write", converge, _configured, _failed_somewhere)


def _failed_somewhere(play: PlayResult) -> bool:
    return any(host.failed or host.unreachable for host in play.hosts)


def _configured(play: PlayResult) -> str:
    bad = [host.name for host in play.hosts if host.failed or host.unreachable]
    changed = sum(host.changed for host in play.hosts)
    idle = sum(1 for host in play.hosts if host.unchanged_since)
    done = len(play.hosts) - len(bad) - idle
    text = f"{plural(done, 'host')}, {plural(changed, 'task')} changed something"
    text += f"; {idle} as their last converge left them" if idle else ""
    return text + (f"; failed: {', '.join(bad)}" if bad else "")
