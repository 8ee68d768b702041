"""The order of `verify --network`: look at the servers, then try every flow between them."""

from __future__ import annotations

from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.phases import network as network_phase
from orchestrator.pipelines.step import Step, Steps
from orchestrator.pipelines.verify import verify_steps
from orchestrator.results import RunResults


def verify_network_steps(adapters: Adapters, results: RunResults) -> Steps:
    """From every server, other fleets and the control machine: all servers, since a flow has two ends."""
    yield from verify_steps(adapters, results)
    outputs, say = results.outputs, adapters.say
    if outputs is None or not results.reachable():
        return
    neighbours = network_phase.neighbours_of(
        adapters.neighbours(),
        adapters.provisioner.outputs,
        lambda stack, servers: adapters.hosts(stack, servers).shell,
        say,
    )
    request = network_phase.NetworkRequest(
        adapters.target.loaded.fleet,
        outputs,
        results.reachable(),
        adapters.hosts(adapters.target.stack.name, outputs.servers).shell,
        neighbours,
        adapters.outside,
    )
    act = partial(network_phase.look, request, say)
    looked = yield Step("network", "verify", "read", act, network_phase.summary)
    results.tried = looked.tried
    results.checks = [*results.checks, *network_phase.judge(looked, request)]
