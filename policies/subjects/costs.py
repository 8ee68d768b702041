"""Cost lines as subjects: one a resource that somebody pays for, and the budget they are paid from.

The document `steward.cost-lines/1` holds `lines` and `budget`; `null` is "none", see `document.py`:

    line     name, identity, kind, sku, region, monthly, currency, tags
             price        {source, as_of, valid_to}
             size         {cpus, memory_gib, disk_gib}
             utilisation  {days, cpu_peak_percent, memory_peak_percent, disk_used_percent}
    budget   amount, currency, period (month or year), owner, warn_percent, block_percent
             forecast     {monthly, before, currency, unpriced}: a month after the change, and before it
             run_rate     {monthly, currency, days}: what is really paid, and over how many days

Money is a text such as "3.10", which no reader rounds; a line without a price has `monthly` null, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from policies.facts import Facts, Unknown, shown
from policies.model import Kind, Subject
from policies.subjects.document import DocumentError, Record, body_of, each_once, records

SCHEMA: Final = "steward.cost-lines/1"
_MONTHS: Final = {"month": Decimal(1), "year": Decimal(12)}


def cost_subjects(
    document: object,
    *,
    stack: str,
    tags: Mapping[str, object],
    now: datetime | None,
    ceiling: Mapping[str, str] | Unknown | None = None,
) -> list[Subject]:
    """A subject for each line and one for the budget; raises DocumentError that names the place.

    `ceiling`: amount and currency of the most that may be spent in a month, by the policy reference and never
    by the document; None where it sets none.
    """
    lines = [_line(Record(each, now), stack, tags) for each in records(document, SCHEMA, "lines")]
    return list(each_once([_budget(document, stack, tags, now, ceiling), *lines], SCHEMA))


def _line(record: Record, stack: str, tags: Mapping[str, object]) -> Subject:
    name = f"{record.label('kind', '?')}/{record.label('name', '?')}"
    facts = {
        "name": name,
        "tags": tags,
        "ownTags": record.value("tags"),
        "sku": record.value("sku"),
        "region": record.value("region"),
        "monthly": _money(record.value("monthly")),
        "currency": record.value("currency"),
        "price": record.part("price", _price),
        "size": record.part("size", _size),
        "utilisation": record.part("utilisation", _utilisation),
    }
    # Two resources of a kind may have one name in two places; their identity is what tells them apart.
    identity = record.label("identity", name)
    return _subject("cost_line", name, f"{stack}/{identity}", stack, facts)


def _budget(
    document: object,
    stack: str,
    tags: Mapping[str, object],
    now: datetime | None,
    ceiling: Mapping[str, str] | Unknown | None,
) -> Subject:
    value = body_of(document, SCHEMA).get("budget")
    if value is not None and not isinstance(value, Mapping):
        raise DocumentError(f"{SCHEMA}: budget: expected a mapping, got {shown(value)}; write null for none")
    record = Record(value or {}, now)
    amount = record.value("amount") if value else Unknown("the document holds no budget")
    facts = {
        "name": "budget",
        "tags": tags,
        "amount": _money(amount),
        "monthly": _monthly(amount, record.value("period")),
        "currency": record.value("currency"),
        "owner": record.value("owner"),
        "warnPercent": record.measure("warn_percent"),
        "blockPercent": record.measure("block_percent"),
        "forecast": record.part("forecast", _forecast),
        "runRate": record.part("run_rate", _run_rate),
        "ceiling": ceiling,
    }
    return _subject("budget", "budget", f"{stack}/budget", stack, facts)


def _subject(kind: str, name: str, identity: str, stack: str, facts: Mapping[str, object]) -> Subject:
    return Subject(
        kind=Kind.COST_LINE,
        type=kind,
        name=name,
        urn=f"{Kind.COST_LINE}:{identity}",
        stack=stack,
        facts=Facts(facts),
        source_type=SCHEMA,
        witness="price book",
    )


def _money(value: object) -> object:
    """A number was rounded before it came here: it stays, and is told as no amount."""
    return shown(value) if isinstance(value, str) else value


def _monthly(amount: object, period: object) -> object:
    """A month's share of the budget; what cannot be divided becomes a text that no rule takes for money."""
    if not isinstance(amount, str) or len(amount) > len("1000000000.00"):
        return amount
    if isinstance(period, Unknown):
        return period
    months = _MONTHS.get(period) if isinstance(period, str) else None
    if months is None:
        return f"{shown(amount)} per {shown(period)}"
    try:
        share = Decimal(amount) / months
    except ArithmeticError:
        return amount
    return f"{share:.2f}" if share.is_finite() else amount


def _price(part: Record) -> Mapping[str, object]:
    return {
        "source": part.value("source"),
        "ageSeconds": part.age("as_of"),
        "validSeconds": part.remaining("valid_to"),
    }


def _size(part: Record) -> Mapping[str, object]:
    return {
        "cpus": part.measure("cpus"),
        "memoryGib": part.measure("memory_gib"),
        "diskGib": part.measure("disk_gib"),
    }


def _utilisation(part: Record) -> Mapping[str, object]:
    return {
        "days": part.measure("days"),
        "cpuPeakPercent": part.measure("cpu_peak_percent"),
        "memoryPeakPercent": part.measure("memory_peak_percent"),
        "diskUsedPercent": part.measure("disk_used_percent"),
    }


def _forecast(part: Record) -> Mapping[str, object]:
    return {
        "monthly": _money(part.value("monthly")),
        "before": _money(part.value("before")),
        "currency": part.value("currency"),
        "unpriced": part.measure("unpriced"),
    }


def _run_rate(part: Record) -> Mapping[str, object]:
    return {
        "monthly": _money(part.value("monthly")),
        "currency": part.value("currency"),
        "days": part.measure("days"),
    }
