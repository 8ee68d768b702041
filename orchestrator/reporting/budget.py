"""The fourth number of the first screen: how much of the budget is used, or that nobody knows."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.reporting.model import Report


@dataclass(frozen=True)
class BudgetUsed:
    """What is shown; `figure` is whether it is a number and not words."""

    shown: str
    figure: bool
    note: str


def budget(report: Report) -> BudgetUsed:
    """Sums with unpriced parts are lower bounds and say so; without a price nothing is claimed."""
    cost = report.cost
    agreed = f"{report.budget} is agreed" if report.budget else "no budget is agreed"
    if cost is None or not cost.book:
        return BudgetUsed("no price known", figure=False, note=f"{agreed}; this report claims no cost")
    amount = f"{cost.after} {cost.currency}/month"
    priced = f"{cost.unpriced} unpriced" if cost.unpriced else "everything is priced"
    if cost.used_percent is None:
        return BudgetUsed(amount, figure=False, note=f"{priced}; {agreed}")
    least = "≥ " if cost.unpriced else ""
    return BudgetUsed(f"{least}{cost.used_percent} %", figure=True, note=f"{amount}, {priced}")
