"""The plan for a terminal: a sign, a name and what differs on a line each, in at most `width` columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.reporting.columns import columns, fitted, shorten
from orchestrator.reporting.escape import terminal
from orchestrator.reporting.humanise import instant
from orchestrator.reporting.model import Change
from orchestrator.reporting.plan import Plan
from orchestrator.reporting.plan_words import (
    SIGNS,
    amount,
    consequences,
    cost_text,
    difference,
    host_text,
    shown,
)
from orchestrator.reporting.planning import Cost, HostPlan

_MOST_DIFFERENCES = 12
_MOST_TASKS = 20
_MOST_DIFF_LINES = 12


def changes_text(plan: Plan, width: int = 80) -> str:
    """Changes, cost and hosts of a plan; verdict, findings and what next are said by the run's summary."""
    lines = [_head(plan, width)]
    lines += [line for change in plan.changes for line in _change(change, width)]
    if not plan.changes:
        lines.append(f"   no change, {plan.unchanged} resources as they should be")
    if plan.cost is not None:
        lines += _cost(plan.cost, width)
    for host in plan.hosts:
        lines += _host(host, width)
    return "\n".join(lines)


def _head(plan: Plan, width: int) -> str:
    left = f" {terminal(plan.stack)}  plan"
    right = f"from state {instant(plan.state_at)}" if plan.state_at else "from nothing"
    gap = width - columns(left) - columns(right)
    return left + " " * gap + right if gap > 1 else f"{left} {right}"


def _change(change: Change, width: int) -> Iterator[str]:
    """A line with the first difference, the others below it, then how it is done."""
    head = f" {SIGNS[change.op]} {terminal(change.kind):<9} {terminal(change.name):<16} "
    told = [terminal(difference(each)) for each in shown(change)]
    more = len(told) - _MOST_DIFFERENCES
    told = told[:_MOST_DIFFERENCES] + ([f"… and {more} more in --json"] if more > 0 else [])
    told = told or ([terminal(change.detail)] if change.detail else [])
    rows = [*told, *(terminal(each) for each in consequences(change))] or [""]
    if len(rows) == 2 and columns(head) + columns(rows[0]) + columns(rows[1]) + 4 <= width:
        rows = [f"{rows[0]}    {rows[1]}"]
    indent = " " * min(columns(head), 30)
    for number, row in enumerate(rows):
        yield from fitted(head if number == 0 else indent, row, width)


def _cost(cost: Cost, width: int) -> Iterator[str]:
    yield from fitted(" cost       ", terminal(cost_text(cost)), width)
    moved = [line for line in cost.lines if line.before != line.after or line.existed != line.exists]
    for line in moved if cost.book else ():
        before, after = amount(line.before, there=line.existed), amount(line.after, there=line.exists)
        name = f"{terminal(line.kind)} {terminal(line.name)}"
        yield shorten(f"            {name:<28} {before} → {after}", width)


def _host(host: HostPlan, width: int) -> Iterator[str]:
    yield from fitted(f" host       {terminal(host.name):<10} ", terminal(host_text(host)), width)
    for task in host.tasks[:_MOST_TASKS]:
        sign = "~" if task.state == "change" else "?"
        note = f"  ({terminal(task.note)})" if task.note else ""
        yield shorten(f"            {sign} {terminal(task.role)} : {terminal(task.task)}{note}", width)
        yield from _diff(task.diff, width)
    if len(host.tasks) > _MOST_TASKS:
        yield f"            … and {len(host.tasks) - _MOST_TASKS} more in --json"


def _diff(text: str, width: int) -> Iterator[str]:
    lines: Sequence[str] = text.splitlines()
    for line in lines[:_MOST_DIFF_LINES]:
        yield shorten(f"                {terminal(line)}", width)
    if len(lines) > _MOST_DIFF_LINES:
        yield f"                … {len(lines) - _MOST_DIFF_LINES} more lines in --json"
