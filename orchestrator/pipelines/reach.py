"""The steps before every look at servers: read the outputs of the stack, wait until they answer."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.phases.reach import check_wanted, of_fleet
from orchestrator.phases.ready import STANDING_SECONDS, ready
from orchestrator.pipelines.step import Step
from orchestrator.reporting.humanise import plural
from orchestrator.results import Readiness, RunResults
from stacks.outputs import FleetOutputs


def reach_steps(
    adapters: Adapters, results: RunResults, wanted: Sequence[str] = ()
) -> Generator[Step, Any, tuple[FleetOutputs, HostAccess]]:
    """Read the outputs of the stack and wait for its servers."""
    stack, fleet = adapters.target.stack.name, adapters.target.loaded.fleet
    check_wanted(fleet, wanted)
    read = partial(adapters.provisioner.outputs, stack)
    found = yield Step("outputs", "up", "read", read, lambda found: plural(len(found.servers), "server"))
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
