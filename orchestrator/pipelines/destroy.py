"""The order of `steward destroy`: read the state, refuse while data would go, judge, delete."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.phases import destroy as destroy_phase
from orchestrator.phases import judge as judge_phase
from orchestrator.pipelines.judge import judge_steps, judgement
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.provisioning import Provisioned, deletes
from orchestrator.results import RunResults
from policies.model import Phase


def destroy_steps(adapters: Adapters, results: RunResults, allowed: Sequence[str]) -> Steps:
    """Read the state, refuse while data would go, judge what would be deleted, delete."""
    stack = adapters.target.stack.name
    check = partial(destroy_phase.check, stack, adapters.provisioner, allowed)
    bearing = yield Step(
        "state", "destroy", "read", check, lambda found: f"{len(found)} bear data, all named"
    )
    results.going = deletes(adapters.provisioner.resources(stack), [each.urn for each in bearing])
    yield from judge_steps(adapters, results, Phase.DESTROY)
    judge_phase.refuse(stack, judgement(results))
    act = partial(destroy_phase.destroy, stack, adapters.provisioner, bearing)
    gone = yield Step("destroy", "destroy", "write", act, lambda gone: f"{len(gone)} resources deleted")
    results.provisioned = Provisioned(tuple(gone), 0)
