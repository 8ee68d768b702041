"""What a fleet costs a month before and after a plan, by a client's price book. Pure, in Decimal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from orchestrator.cost.prices import Price, PriceBook
from orchestrator.reporting.planning import Cost, CostLine

_CENT = Decimal("0.01")
_NOT_BOUGHT = ("identity",)
"""Kinds that only exist in the state: nobody can send a bill for them."""
_MEASURES = (("per_cpu", "cpus"), ("per_memory_gib", "memoryGib"), ("per_gib", "sizeGib"))

Resources = Mapping[str, Mapping[str, Any]]
"""Properties by URN."""


def estimate(before: Resources, after: Resources, region: str, book: PriceBook | None) -> Cost:
    """A line for each resource there is or will be; without a book everything is unpriced.

    `region` is where a resource is whose tags do not say it.
    """
    lines = []
    for urn in dict.fromkeys([*before, *after]):
        kind = _kind(urn)
        if kind in _NOT_BOUGHT:
            continue
        old, new = (_amount(kind, each.get(urn), region, book) for each in (before, after))
        lines.append(
            CostLine(
                urn=urn,
                kind=kind,
                name=urn.rsplit("::", 1)[-1],
                existed=urn in before,
                exists=urn in after,
                before=old,
                after=new,
            )
        )
    return Cost(
        currency=book.currency if book else "",
        book=book.name if book else "",
        before=_sum(line.before for line in lines),
        after=_sum(line.after for line in lines),
        unpriced_before=sum(line.existed and line.before is None for line in lines),
        unpriced=sum(line.exists and line.after is None for line in lines),
        lines=lines,
    )


def _amount(
    kind: str, properties: Mapping[str, Any] | None, region: str, book: PriceBook | None
) -> Decimal | None:
    if properties is None or book is None:
        return None
    tags = properties.get("tags")
    own = tags.get("region") if isinstance(tags, Mapping) else None
    price = book.price(kind, own if isinstance(own, str) else region)
    return _priced(price, properties) if price else None


def _priced(price: Price, properties: Mapping[str, Any]) -> Decimal | None:
    """None when the book asks for a measure that the resource does not tell (yet)."""
    total = price.each or Decimal(0)
    for per, measure in _MEASURES:
        rate: Decimal | None = getattr(price, per)
        if rate is None:
            continue
        count = properties.get(measure)
        if isinstance(count, bool) or not isinstance(count, int | float):
            return None
        total += rate * Decimal(str(count))
    return total.quantize(_CENT, ROUND_HALF_UP)


def _kind(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1].rsplit(":", 1)[-1].lower() if urn.count("::") >= 3 else ""


def _sum(amounts: Any) -> Decimal:
    return sum((each for each in amounts if each is not None), Decimal("0.00"))
