"""Cost lines for the policies: what each resource costs after a plan, and the budget it is paid from. Pure.

The document is `steward.cost-lines/1` as `policies/subjects/costs.py` reads it. Money is text, what has no
price is null and never 0, and what nobody measured is unknown with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from orchestrator.cost.estimate import Resources
from orchestrator.cost.prices import PriceBook
from orchestrator.reporting.planning import Cost, CostLine
from stacks.fleet.model import Fleet

SCHEMA: Final = "steward.cost-lines/1"
_SIZES: Final = {"cpus": "cpus", "memory_gib": "memoryGib", "disk_gib": "sizeGib"}
_BLOCKS_AT: Final = 100
"""Percent of the budget."""


@dataclass(frozen=True)
class Use:
    """How busy a resource was at its busiest, over how many days; None is what nobody measured."""

    days: float
    cpu_peak_percent: float | None = None
    memory_peak_percent: float | None = None
    disk_used_percent: float | None = None


@dataclass(frozen=True)
class Bill:
    """What is really paid a month, and over how many days that was seen."""

    monthly: Decimal
    currency: str
    days: int


def cost_lines(
    cost: Cost,
    after: Resources,
    fleet: Fleet,
    book: PriceBook | None,
    *,
    uses: Mapping[str, Use] | None = None,
    bill: Bill | None = None,
) -> dict[str, Any]:
    """The document: a line for each resource that is or will be there; `uses` is by URN."""
    lines = [
        _line(line, after.get(line.urn, {}), fleet.region, book, (uses or {}).get(line.urn))
        for line in cost.lines
        if line.exists
    ]
    return {"schema": SCHEMA, "stack": fleet.stack, "lines": lines, "budget": _budget(cost, fleet, bill)}


def _line(
    line: CostLine, properties: Mapping[str, Any], region: str, book: PriceBook | None, use: Use | None
) -> dict[str, Any]:
    tags = properties.get("tags")
    known = tags if isinstance(tags, Mapping) else {}
    own = {key: value for key, value in known.items() if isinstance(value, str)}
    return {
        "name": line.name,
        "identity": line.urn,
        "kind": line.kind,
        "sku": None,  # the local provider sells no sizes by name
        "region": own.get("region", region),
        "monthly": str(line.after) if line.after is not None else None,
        "currency": book.currency if book else None,
        "tags": own or None,
        "price": _price(book) if line.after is not None else None,
        "size": {key: _size(properties, name) for key, name in _SIZES.items()},
        "utilisation": _use(use),
    }


def _price(book: PriceBook | None) -> dict[str, Any] | None:
    if book is None:
        return None
    return {
        "source": book.name,
        "as_of": _moment(book.as_of, time.min),
        "valid_to": _moment(book.valid_to, time.max),
    }


def _size(properties: Mapping[str, Any], name: str) -> Any:
    value = properties.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return {"unknown": "not known at preview"}


def _use(use: Use | None) -> dict[str, Any]:
    if use is None:
        return {"unknown": "nobody measured it"}
    measured = {
        "cpu_peak_percent": use.cpu_peak_percent,
        "memory_peak_percent": use.memory_peak_percent,
        "disk_used_percent": use.disk_used_percent,
    }
    known = {key: value for key, value in measured.items() if value is not None}
    return {"days": use.days, **known}


def _budget(cost: Cost, fleet: Fleet, bill: Bill | None) -> dict[str, Any]:
    budget = fleet.budget
    return {
        "amount": str(budget.amount) if budget else None,
        "currency": budget.currency if budget else None,
        "period": budget.per if budget else None,
        "owner": fleet.owner,
        "warn_percent": budget.warn_at_percent if budget else None,
        "block_percent": _BLOCKS_AT if budget else None,
        "forecast": _forecast(cost),
        "run_rate": {"monthly": str(bill.monthly), "currency": bill.currency, "days": bill.days}
        if bill
        else None,
    }


def _forecast(cost: Cost) -> dict[str, Any]:
    """The sums leave out what has no price, so without a price book they are not 0 but unknown."""
    if not cost.book:
        return {"unknown": "there is no price book"}
    before: Any = str(cost.before)
    if cost.unpriced_before and not cost.before:
        before = {"unknown": "nothing that was there had a price"}
    return {
        "monthly": str(cost.after),
        "before": before,
        "currency": cost.currency,
        "unpriced": cost.unpriced,
    }


def _moment(day: date | None, at: time) -> str | None:
    return datetime.combine(day, at, UTC).isoformat() if day else None
