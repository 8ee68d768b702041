"""The order of `steward destroy`: read the state, refuse while data would go, judge, delete."""

from __future__ import annotations

from functools import partial

from orchestrator.adapters import Adapters
from orchestrator.backups.holdings import told
from orchestrator.phases import destroy as destroy_phase
from orchestrator.phases import judge as judge_phase
from orchestrator.phases.destroy import Allowed
from orchestrator.pipelines.judge import judge_steps, judgement
from orchestrator.pipelines.step import Step, Steps
from orchestrator.ports.provisioning import Provisioned, StateResource, deletes
from orchestrator.results import RunResults
from policies.model import Phase


def destroy_steps(adapters: Adapters, results: RunResults, allowed: Allowed) -> Steps:
    """Read the state, refuse while data would go, judge what would be deleted, delete."""
    stack = adapters.target.stack.name
    check = partial(_check, adapters, results, allowed)
    bearing = yield Step(
        "state", "destroy", "read", check, lambda found: f"{len(found)} bear data, all named"
    )
    results.going = deletes(adapters.provisioner.resources(stack), [each.urn for each in bearing])
    yield from judge_steps(adapters, results, Phase.DESTROY)
    judge_phase.refuse(stack, judgement(results))
    act = partial(destroy_phase.destroy, stack, adapters.provisioner, bearing)
    gone = yield Step("destroy", "destroy", "write", act, lambda gone: f"{len(gone)} resources deleted")
    results.provisioned = Provisioned(tuple(gone), 0)


def _check(adapters: Adapters, results: RunResults, allowed: Allowed) -> list[StateResource]:
    """What bears data and may go; on the way, which backups of the fleet stay in the vaults of others."""
    fleet = adapters.target.loaded.fleet
    look = partial(destroy_phase.backups_here, fleet, adapters.store, adapters.credentials, adapters.ledger)
    vaults = sorted({spec.stack for spec in fleet.repositories.values() if spec.stack})
    results.kept = [
        f"in {', '.join(vaults)} stay the backups of {line}" for line in told(look(elsewhere=True))
    ]
    held, living = look(elsewhere=False), adapters.neighbours()
    return destroy_phase.check(adapters.target.stack.name, adapters.provisioner, allowed, held, living)
