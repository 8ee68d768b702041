"""The steps that look at what is there with the eyes of the rules, and judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from orchestrator.adapters import Adapters, HostAccess
from orchestrator.backups.documents import BackupStatus
from orchestrator.backups.predecessors import Losses, Pair
from orchestrator.errors import InputError, ToolError
from orchestrator.judging.expected import expected_hosts
from orchestrator.phases import collect as collect_phase
from orchestrator.phases import outside as outside_phase
from orchestrator.phases import population as population_phase
from orchestrator.phases.backup import BackupRequest, look
from orchestrator.phases.predecessors import lost
from orchestrator.phases.reach import left_out
from orchestrator.phases.records import RecordsRequest, records, summary
from orchestrator.pipelines.judge import judge_steps
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.backups import Receipt
from orchestrator.ports.provisioning import as_made
from orchestrator.reporting.seen import Unrestored
from orchestrator.results import RunResults
from policies.model import Phase
from stacks.outputs import FleetOutputs, ServerOutput

_Asked = tuple[Sequence[Receipt] | None, Mapping[str, BackupStatus | None] | None]
"""What vault and hosts said of the backups."""


def live_steps(
    adapters: Adapters,
    results: RunResults,
    outputs: FleetOutputs,
    access: HostAccess,
    servers: Sequence[ServerOutput],
    wanted: Sequence[str] = (),
) -> Steps:
    """Facts of hosts, ports as a neighbour sees them, who lists what; then every rule on all of it.

    `wanted`: the servers that were chosen by name; none means all of the fleet.
    """
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
        adapters.chains(), adapters.say,
    )  # fmt: skip
    listings = yield Step("population", "live", "read", count, population_phase.summary)
    results.seen = replace(
        results.seen,
        state=state,
        hosts=found.documents,
        earlier=found.earlier,
        unreached=found.unreached,
        left_out=left_out(fleet, found.asked, wanted),
        expected=expected,
        listings=listings,
    )
    yield from record_steps(adapters, results, access, servers)
    yield from judge_steps(adapters, results, Phase.LIVE)


def record_steps(
    adapters: Adapters, results: RunResults, access: HostAccess, servers: Sequence[ServerOutput]
) -> Steps:
    """What is known of every backup; asks vault and hosts where this run has not yet."""
    fleet = adapters.target.loaded.fleet
    if not fleet.backups:
        return

    def ask() -> Mapping[str, Any]:
        asked: _Asked = (
            (results.receipts, results.statuses)
            if results.statuses is not None
            else _asked_for(adapters, results, access, servers)
        )
        made = results.outputs.servers if results.outputs else ()
        request = RecordsRequest(
            fleet, made, *asked, adapters.store, adapters.credentials,
            adapters.provisioner.resources, adapters.ledger, adapters.drills, _lost(adapters, results),
        )  # fmt: skip
        return records(request, adapters.clock.now())

    found = yield Step("records", "live", "read", ask, summary)
    results.seen = replace(results.seen, backups=found)


def _lost(adapters: Adapters, results: RunResults) -> Mapping[Pair, Unrestored]:
    """What lies with predecessors alone; known already where this run looked at backups."""
    if results.statuses is not None or results.outputs is None:
        return results.unrestored
    try:
        return losses_of(adapters, results.outputs).pairs
    except (InputError, ToolError) as problem:
        adapters.say(f"the vault could not be asked for predecessors: {problem.message}")
        return {}


def losses_of(adapters: Adapters, outputs: FleetOutputs) -> Losses:
    """Whose data lie with a predecessor alone, by what vaults, ledger and state say."""
    return lost(
        adapters.target.loaded.fleet, outputs, adapters.store, adapters.credentials, adapters.ledger,
        adapters.provisioner.resources,
    )  # fmt: skip


def _asked_for(
    adapters: Adapters, results: RunResults, access: HostAccess, servers: Sequence[ServerOutput]
) -> _Asked:
    """Receipts and statuses of all backups; None for both where the vault gives none, which is said."""
    fleet = adapters.target.loaded.fleet
    request = BackupRequest(fleet, servers, adapters.run, outputs=results.outputs)
    try:
        found = look(request, access.shell, adapters.store, adapters.clock)
    except (InputError, ToolError) as problem:
        adapters.say(f"the vault could not be asked for receipts: {problem.message}")
        return None, None
    return found.receipts, found.statuses
