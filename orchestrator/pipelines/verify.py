"""The order of `steward verify`: hosts from inside, services from outside; changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.phases import probe as probe_phase
from orchestrator.phases import verify as verify_phase
from orchestrator.pipelines.live import live_steps
from orchestrator.pipelines.reach import reach_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.results import RunResults
from stacks.outputs import ServerOutput


def verify_steps(adapters: Adapters, results: RunResults, wanted: Sequence[str] = ()) -> Steps:
    """Look at servers that exist; change nothing."""
    outputs, access = yield from reach_steps(adapters, results, wanted)
    fleet, servers = adapters.target.loaded.fleet, results.reachable(wanted)
    look = partial(verify_phase.verify, fleet, servers, access.verifier, adapters.roles)
    results.checks = yield Step("verify", "verify", "read", look, verify_phase.summary)
    yield from probe_steps(adapters, results, servers)
    yield from live_steps(adapters, results, outputs, access, servers, wanted)


def probe_steps(adapters: Adapters, results: RunResults, servers: Sequence[ServerOutput]) -> Steps:
    """Ask the services from outside, where the fleet says how."""
    fleet = adapters.target.loaded.fleet
    if probe_phase.probed_services(fleet):
        ask = partial(probe_phase.probe, fleet, servers, adapters.prober, adapters.clock)
        results.probes = yield Step("probe", "verify", "read", ask, probe_phase.summary)
