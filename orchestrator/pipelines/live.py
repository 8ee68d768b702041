"""The steps that look at what is there with the eyes of the rules, and judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.judging.expected import expected_hosts
from orchestrator.phases import collect as collect_phase
from orchestrator.phases import outside as outside_phase
from orchestrator.phases import population as population_phase
from orchestrator.pipelines.judge import judge_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.provisioning import as_made
from orchestrator.results import RunResults
from policies.model import Phase
from stacks.outputs import FleetOutputs, ServerOutput


def live_steps(
    adapters: Adapters,
    results: RunResults,
    outputs: FleetOutputs,
    access: HostAccess,
    servers: Sequence[ServerOutput],
) -> Steps:
    """Facts of hosts, ports as a neighbour sees them, who lists what; then every rule on all of it."""
    fleet, book = adapters.target.loaded.fleet, adapters.facts
    ask = partial(collect_phase.collect, servers, results.readiness, access.facts, book)
    found: collect_phase.Collected = yield Step("facts", "live", "read", ask, collect_phase.summary)
    probe = partial(outside_phase.look, fleet, outputs, found.documents, access.shell)
    seen = yield Step("outside", "live", "read", probe, outside_phase.summary)
    expected = expected_hosts(fleet, servers, access.public_keys, seen, adapters.roles)
    stack = adapters.target.stack.name
    state = as_made(adapters.provisioner.resources(stack))
    book.keep_expected(expected)
    count = partial(
        population_phase.listings, adapters.target, adapters.listing, adapters.store, adapters.credentials,
        adapters.say,
    )  # fmt: skip
    listings = yield Step("population", "live", "read", count, population_phase.summary)
    results.seen = replace(
        results.seen,
        state=state,
        hosts=found.documents,
        earlier=found.earlier,
        unreached=found.unreached,
        expected=expected,
        listings=listings,
    )
    yield from judge_steps(adapters, results, Phase.LIVE)
