"""The order of `steward drift`: resources, then hosts, one look each; changes nothing there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.errors import ToolError
from orchestrator.phases import verify as verify_phase
from orchestrator.phases.accept import chosen, named, only, refuse_broken, refuse_changed, refuse_unknown
from orchestrator.phases.drift import summary, told_once
from orchestrator.phases.reach import check_wanted
from orchestrator.pipelines.step import Step, Steps
from orchestrator.reporting.drift import DriftItem, DriftSubject
from orchestrator.reporting.humanise import plural
from orchestrator.results import RunResults
from stacks.outputs import FleetOutputs, ServerOutput


def drift_steps(
    adapters: Adapters,
    results: RunResults,
    fleet_file: str,
    wanted: Sequence[str] = (),
    *,
    accept: bool = False,
    items: Sequence[str] = (),
) -> Steps:
    """Look at everything of the fleet, or at these servers; `accept` first takes the hosts as they are, or
    these `items` of them alone.
    """
    stack, fleet = adapters.target.stack.name, adapters.target.loaded.fleet
    check_wanted(fleet, wanted)
    read = partial(adapters.provisioner.outputs, stack)
    outputs: FleetOutputs = yield Step("outputs", "drift", "read", read, _servers)
    results.outputs = outputs
    servers = [server for server in outputs.servers if not wanted or server.name in wanted]
    drifts = adapters.hosts(stack, outputs.servers).drifts
    if accept:
        yield from accept_steps(adapters, results, fleet_file, servers, items)
    ask = partial(resources_of, adapters, stack, wanted)
    resources = yield Step("resources", "drift", "read", ask, summary)
    hosts = yield Step("hosts", "drift", "read", partial(drifts.drifted, servers), summary)
    made = {server.name for server in servers}
    names = [name for _, name in fleet.server_names() if not wanted or name in wanted]
    absent = [
        DriftSubject(kind="host", name=name, state="unknown", reason="not yet there")
        for name in names
        if name not in made
    ]
    results.drift = told_once([*hosts, *absent], resources, fleet_file)


def accept_steps(
    adapters: Adapters,
    results: RunResults,
    fleet_file: str,
    servers: Sequence[ServerOutput],
    items: Sequence[str] = (),
) -> Steps:
    """Take these hosts as they are, or these items of them, when each is known and everything on it works."""
    assert results.outputs is not None  # noqa: S101  # drift_steps set it
    access = adapters.hosts(adapters.target.stack.name, results.outputs.servers)
    fleet, file = adapters.target.loaded.fleet, shlex.quote(fleet_file)
    seen = yield Step("look", "drift", "read", partial(access.drifts.drifted, servers), summary)
    results.drift = told_once(seen, [], fleet_file)
    wanted: Sequence[DriftItem] = ()
    if items:
        refuse_unknown(seen, file)
        wanted = chosen(seen, items)
        seen = only(seen, wanted)
        servers = [server for server in servers if any(server.name == each.name for each in seen)]
    check = partial(verify_phase.verify, fleet, servers, access.verifier, adapters.roles)
    results.checks = yield Step("verify", "verify", "read", check, verify_phase.summary)
    refuse_broken(seen, results.checks, file)
    if not items:
        act = partial(access.drifts.accept, servers, adapters.run)
        yield Step(
            "accept", "drift", "write", act, lambda names: f"as they are: {', '.join(names) or 'none'}"
        )
        return
    some = partial(access.drifts.accept_items, servers, wanted)
    done: Sequence[DriftItem] = yield Step("accept", "drift", "write", some, _accepted)
    refuse_changed(wanted, done, file)


def _accepted(done: Sequence[DriftItem]) -> str:
    return ", ".join(f"{each.server}: {named(each)}" for each in done) or "nothing"


def resources_of(adapters: Adapters, stack: str, wanted: Sequence[str]) -> list[DriftSubject]:
    """The resources of the stack, or of these servers; one unknown subject where nobody can be asked."""
    try:
        found = adapters.resource_drifts.drifted(stack)
    except ToolError as problem:
        return [DriftSubject(kind="resource", name=stack, state="unknown", reason=problem.message)]
    return [each for each in found if not wanted or each.server in wanted]


def _servers(outputs: FleetOutputs) -> str:
    servers: Sequence[ServerOutput] = outputs.servers
    return plural(len(servers), "server")
