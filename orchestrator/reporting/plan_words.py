"""What the parts of a plan are called; the same words in a terminal, in Markdown and on the page. Pure.

Nothing here is escaped: each format does that with its own rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from orchestrator.reporting.humanise import age, plural
from orchestrator.reporting.model import Change
from orchestrator.reporting.planning import Cost, HostPlan, PropertyChange

SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
"""± replaces: the old one goes, a new one comes."""
WORDS = {"create": "create", "update": "change", "replace": "replace", "delete": "delete"}
PROPERTY_SIGNS = {"add": "+", "change": "~", "remove": "-"}
_VERDICTS = {"near": "close to the limit", "over": "over budget", "over_allowed": "over budget, allowed"}


def planned(changes: Sequence[Change], hosts: Sequence[HostPlan] = ()) -> str:
    """`13 to create, 1 to change, 2 hosts to configure`; what is not announced is not named."""
    counts = {op: sum(change.op == op for change in changes) for op in WORDS}
    told = [f"{count} to {WORDS[op]}" for op, count in counts.items() if count]
    due = sum(host.state == "change" for host in hosts)
    told += [f"{plural(due, 'host')} to configure"] if due else []
    return ", ".join(told) or "nothing to change"


def label(path: str) -> str:
    """A property as people say it: `memory` of `memoryGib`, `authorized keys` of `authorizedKeys`."""
    head, dot, rest = path.partition(".")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", head.removesuffix("Gib")).lower()
    return f"{words}{dot}{rest}"


def difference(each: PropertyChange) -> str:
    """`memory 2 → 4 GiB`, `rules + allow web → 80/tcp`."""
    unit = " GiB" if each.path.endswith("Gib") else ""
    if each.how == "change":
        known = each.old is not None and each.new is not None
        return f"{label(each.path)} {each.old} → {each.new}{unit}" if known else label(each.path)
    value = each.new if each.how == "add" else each.old
    group = each.path.split(".", 1)[0] if "→" in (value or "") else each.path
    return f"{label(group)} {PROPERTY_SIGNS[each.how]} {value}{unit}"


def shown(change: Change) -> list[PropertyChange]:
    """The differences worth a line: what goes with another resource follows from it and says nothing new."""
    follows = any(reason.startswith("goes with") for reason in change.reasons)
    return [] if follows and change.op == "replace" else list(change.properties)


def consequences(change: Change) -> list[str]:
    """How a change is made and what it does to others, worst first; one phrase each."""
    told = []
    if change.loses is not None:
        told.append(f"DATA LOSS: {_saved(change)}")
    if change.protected:
        told.append("protected: Pulumi refuses to delete it")
    if change.op == "replace":
        told.append("replaced: " + ("; ".join(change.reasons) or "the provider does not say why"))
    elif change.op == "update":
        told.append(f"in place, {'; '.join(change.reasons)}" if change.restarts else "in place")
    for pause in change.interrupts:
        window = f"window {pause.window}" if pause.window else "no window agreed"
        told.append(f"interrupts {pause.service} ({window})")
    return told


def _saved(change: Change) -> str:
    loss = change.loses
    if loss is None or loss.saved_seconds is None:
        return loss.note if loss is not None and loss.note else "no snapshot is known"
    return f"newest snapshot of {change.server} in the vault {age(loss.saved_seconds)}"


def cost_text(cost: Cost) -> str:
    """`38.20 → 44.90 EUR/month (+6.70) · 1 unpriced · budget 250.00: 18 %`."""
    if not cost.book:
        parts = [f"unpriced: no price book names these {sum(line.exists for line in cost.lines)} resources"]
        if cost.budget is not None:
            parts.append(f"budget {cost.budget} {cost.budget_currency}/month: not compared")
        return " · ".join(parts)
    step = cost.after - cost.before
    moved = f"{cost.before} → {cost.after} {cost.currency}/month ({step:+})" if step else None
    parts = [moved or f"{cost.after} {cost.currency}/month, as before"]
    if cost.unpriced:
        parts.append(f"{cost.unpriced} unpriced")
    if cost.budget is not None:
        used = f"{cost.used_percent} %" if cost.used_percent is not None else "not compared"
        least = "at least " if cost.unpriced and cost.used_percent is not None else ""
        word = _VERDICTS.get(cost.verdict, "")
        parts.append(f"budget {cost.budget}: {least}{used}" + (f", {word}" if word else ""))
    return " · ".join(parts)


def amount(value: Decimal | None, *, there: bool) -> str:
    """An amount, `unpriced` where there is no price, `–` where there is no resource."""
    return "–" if not there else "unpriced" if value is None else str(value)


def host_text(host: HostPlan) -> str:
    """`3 tasks would change something, restart of nginx.service`, `clean`, `unknown: not yet there`."""
    if host.reason:
        return f"{'to configure' if host.state == 'change' else 'unknown'}: {host.reason}"
    parts = [f"{plural(host.changes, 'task')} would change something"] if host.changes else []
    parts += [f"{host.unknown} cannot be checked"] if host.unknown else []
    parts += [", ".join(host.restarts)] if host.restarts else []
    return ", ".join(parts) or "clean"
