"""Is what a plan would cost inside what the client agreed to pay? Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from orchestrator.reporting.model import Finding
from orchestrator.reporting.planning import BudgetVerdict, Cost
from stacks.fleet.budget import Budget

_MONTHS = {"month": Decimal(1), "year": Decimal(12)}


def judged(cost: Cost, budget: Budget | None) -> Cost:
    """The cost with its verdict; a sum with unpriced parts is a lower bound and proves only too much."""
    if budget is None:
        return cost
    monthly = (budget.amount / _MONTHS[budget.per]).quantize(Decimal("0.01"), ROUND_HALF_UP)
    known = bool(cost.book) and cost.currency == budget.currency
    percent = int(cost.after * 100 / monthly) if known and monthly else None
    return cost.model_copy(
        update={
            "budget": monthly,
            "budget_currency": budget.currency,
            "used_percent": percent,
            "verdict": _verdict(cost, monthly, budget, known=known),
        }
    )


def _verdict(cost: Cost, monthly: Decimal, budget: Budget, *, known: bool) -> BudgetVerdict:
    if not known:
        return "unknown"
    if cost.after > monthly:
        raised = cost.after > cost.before
        return "over" if budget.on_exceed == "block" and raised else "over_allowed"
    if cost.after * 100 >= monthly * budget.warn_at_percent:
        return "near"
    return "unknown" if cost.unpriced else "inside"


def findings(cost: Cost | None, stack: str) -> list[Finding]:
    """What a person must act on: above the budget, close to it, or a book in another currency."""
    if cost is None or cost.budget is None:
        return []
    told = f"{cost.after} {cost.currency}/month ({cost.used_percent} %)"
    expected = f"at most {cost.budget} {cost.budget_currency}/month"
    fix = "Make the fleet smaller, or agree on another budget."
    row = {"source": "cost", "subject": stack, "expected": expected}
    if cost.verdict in ("over", "over_allowed"):
        blocking = cost.verdict == "over"
        return [Finding.model_validate({**row, "severity": "high", "blocking": blocking, "fix": fix,
                "title": "The plan costs more than the budget", "observed": told})]  # fmt: skip
    if cost.verdict == "near":
        return [Finding.model_validate({**row, "severity": "low", "blocking": False, "fix": fix,
                "title": "The plan comes close to the budget", "observed": told})]  # fmt: skip
    if cost.book and cost.currency != cost.budget_currency:
        return [Finding.model_validate({**row, "severity": "medium", "blocking": False,
                "title": "The budget cannot be compared: the price book is in another currency",
                "observed": f"{cost.currency}, {cost.book}",
                "fix": "Use a book in the budget's currency."})]  # fmt: skip
    return []
