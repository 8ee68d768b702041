"""The order of `steward plan`: look, judge, refuse; changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.errors import InputError, ToolError
from orchestrator.phases import judge as judge_phase
from orchestrator.phases import plan as plan_phase
from orchestrator.phases.effects import losing, with_effects, with_saved
from orchestrator.pipelines.judge import judge_steps, judgement
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.provisioning import Preview
from orchestrator.results import RunResults
from policies.model import Phase
from stacks.outputs import FleetOutputs


def plan_steps(
    adapters: Adapters,
    results: RunResults,
    *,
    refresh: bool = False,
    hosts: Callable[[], Steps] | None = None,
) -> Steps:
    """Look, judge, change nothing; `hosts` are steps about the hosts, before the plan is refused."""
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
    yield from judge_steps(adapters, results, Phase.PREVIEW)
    judge_phase.refuse_if_blocked(target.stack.name, results.preview, judgement(results))
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
