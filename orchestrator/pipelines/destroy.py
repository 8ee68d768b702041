"""The order of `steward destroy`: read the state, refuse while data would go, delete."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.phases import destroy as destroy_phase
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.provisioning import Provisioned
from orchestrator.results import RunResults


def destroy_steps(adapters: Adapters, results: RunResults, allowed: Sequence[str]) -> Steps:
    """Read the state, refuse while data would go, delete."""
    stack = adapters.target.stack.name
    check = partial(destroy_phase.check, stack, adapters.provisioner, allowed)
    bearing = yield Step(
        "state", "destroy", "read", check, lambda found: f"{len(found)} bear data, all named"
    )
    act = partial(destroy_phase.destroy, stack, adapters.provisioner, bearing)
    gone = yield Step("destroy", "destroy", "write", act, lambda gone: f"{len(gone)} resources deleted")
    results.provisioned = Provisioned(tuple(gone), 0)
