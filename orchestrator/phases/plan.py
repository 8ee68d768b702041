"""plan: what would change, and whether the rules allow it. Touches nothing."""

from __future__ import annotations

from orchestrator.cost.budget import judged
from orchestrator.cost.estimate import estimate
from orchestrator.cost.prices import PriceBook
from orchestrator.errors import FindingsError
from orchestrator.ports.provisioning import Preview, Provisioner
from orchestrator.ports.run import Target
from orchestrator.reporting.planning import Cost


def plan(target: Target, provisioner: Provisioner, *, refresh: bool = False) -> Preview:
    """Preview the stack with its policies; `refresh` looks at what is really there first."""
    return provisioner.preview(target, refresh=refresh)


def cost(target: Target, found: Preview, prices: PriceBook | None) -> Cost:
    """What the fleet costs before and after, held against its budget."""
    fleet = target.loaded.fleet
    return judged(estimate(found.before, found.after, fleet.region, prices), fleet.budget)


def refuse_if_over_budget(target: Target, found: Cost) -> None:
    """Raise FindingsError when the plan raises the cost above a budget that blocks."""
    if found.verdict == "over":
        raise FindingsError(
            target.stack.name, "the plan costs more than the budget; nothing was changed",
            rule=f"at most {found.budget} {found.budget_currency}/month",
            got=f"{found.after} {found.currency}/month, {found.before} before",
            next_step="Make the fleet smaller, or agree on another budget in the fleet file.",
        )  # fmt: skip


def summary(found: Preview) -> str:
    """`3 to create, 1 to update, 12 unchanged · 96 policy results, 0 blocking`."""
    counts: dict[str, int] = {}
    for change in found.changes:
        counts[change.op] = counts.get(change.op, 0) + 1
    parts = [f"{count} to {op}" for op, count in counts.items()]
    parts = parts or ["only outputs and promises change" if found.differs else "no change"]
    return f"{', '.join(parts)}, {found.unchanged} unchanged · {len(found.policies)} policy results"
