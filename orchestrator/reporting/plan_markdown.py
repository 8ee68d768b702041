"""The plan as a merge-request comment: every value is inline code, so none can mention, link or command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.reporting.escape import markdown_block, markdown_code, markdown_text
from orchestrator.reporting.findings import ranked
from orchestrator.reporting.humanise import instant
from orchestrator.reporting.markdown_table import MOST_ROWS, table
from orchestrator.reporting.plan import Plan
from orchestrator.reporting.plan_words import (
    SIGNS,
    WORDS,
    amount,
    consequences,
    cost_text,
    difference,
    host_text,
    planned,
    shown,
)


def to_markdown(plan: Plan) -> str:
    """The whole comment: verdict, changes, findings, cost, hosts, what next."""
    parts = [
        f"### Plan of {markdown_code(plan.stack)}: {_verdict(plan)}",
        *_changes(plan),
        *_findings(plan),
        *_cost(plan),
        *_hosts(plan),
        *_next(plan),
        _provenance(plan),
    ]
    return "\n\n".join(parts) + "\n"


def _provenance(plan: Plan) -> str:
    return (
        f"Run {markdown_code(plan.run)}, {instant(plan.made_at)}, exit code {plan.exit_code}; "
        f"fleet {markdown_code(plan.fleet_file)} {markdown_code(plan.fleet_digest)}."
    )


def _verdict(plan: Plan) -> str:
    blocking = sum(finding.blocking for finding in plan.findings)
    refused = f"; **{blocking} blocking**" if blocking else "" if plan.complete else "; **refused**"
    return planned(plan.changes, plan.hosts) + refused


def _changes(plan: Plan) -> Iterator[str]:
    rows = []
    for change in plan.changes:
        told = [difference(each) for each in shown(change)] or [change.detail]
        cells = [markdown_code(each) for each in told[:MOST_ROWS] if each]
        rows.append(
            (
                f"{SIGNS[change.op]} {WORDS[change.op]}",
                f"{markdown_code(change.kind)} {markdown_code(change.name)}",
                "<br>".join(cells),
                "<br>".join(_consequence(each) for each in consequences(change)),
            )
        )
    if rows:
        yield _table(("What", "Resource", "Difference", "How, and what it costs others"), rows)


def _consequence(text: str) -> str:
    return f"**{markdown_text(text)}**" if text.startswith("DATA LOSS") else markdown_text(text)


def _findings(plan: Plan) -> Iterator[str]:
    rows = [
        (
            finding.severity + (", blocks" if finding.blocking else ""),
            markdown_code(finding.subject),
            markdown_text(finding.title),
            markdown_code(finding.observed),
            markdown_text(finding.fix),
        )
        for finding in ranked(plan.findings)
    ]
    if rows:
        yield _table(("Severity", "Subject", "Finding", "Seen", "Fix"), rows)
    counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in plan.policies.items())
    yield f"Policies: {plan.rules} rules, {counts}." if plan.policies else "Policies: not judged."


def _cost(plan: Plan) -> Iterator[str]:
    if plan.cost is None:
        return
    yield f"Cost: {markdown_text(cost_text(plan.cost))}"
    moved = [each for each in plan.cost.lines if each.before != each.after or each.existed != each.exists]
    rows = [
        (
            f"{markdown_code(line.kind)} {markdown_code(line.name)}",
            amount(line.before, there=line.existed),
            amount(line.after, there=line.exists),
        )
        for line in moved
    ]
    if rows and plan.cost.book:
        yield _table(("Resource", "Before", "After"), rows)


def _hosts(plan: Plan) -> Iterator[str]:
    for host in plan.hosts:
        yield f"Host {markdown_code(host.name)}: {markdown_text(host_text(host))}"
        for task in host.tasks[:MOST_ROWS]:
            sign = "~" if task.state == "change" else "?"
            name = markdown_code(f"{task.role} : {task.task}")
            yield f"- {sign} {name} {markdown_text(task.note)}".rstrip()
            if task.diff:
                yield markdown_block(task.diff)


def _next(plan: Plan) -> Iterator[str]:
    for command in plan.next:
        yield markdown_block(command)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table(heads, rows, "--json")
