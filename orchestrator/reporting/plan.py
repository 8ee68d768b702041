"""The plan as a document of its own: what `steward plan --json` writes, and what its text is drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from orchestrator.reporting.advice import next_steps
from orchestrator.reporting.document import document_text, schema_of, schema_text
from orchestrator.reporting.model import Change, Finding, Report
from orchestrator.reporting.planning import Cost, HostPlan
from orchestrator.reporting.record import Record

SCHEMA_FILE = "plan.v1.json"


class Plan(Record):
    """What `up` would do, and whether it may. `complete` is false when the plan was refused or broke off.

    `policies` counts results by state. `hosts` are all of them where they were asked (`--hosts`), else those
    for which a converge is due.
    """

    schema_: Literal["steward.plan/1"] = Field("steward.plan/1", alias="schema")
    run: str
    stack: str
    client: str
    environment: str
    fleet_file: str
    fleet_digest: str
    made_at: datetime
    state_at: datetime | None
    changes: Sequence[Change]
    unchanged: int
    findings: Sequence[Finding]
    policies: dict[str, int]
    rules: int
    cost: Cost | None
    hosts: Sequence[HostPlan] = ()
    next: Sequence[str] = ()
    complete: bool
    problem: str = ""
    exit_code: int

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def plan_of(report: Report) -> Plan:
    """The plan that a report of `steward plan` holds."""
    return Plan(
        run=report.run,
        stack=report.stack,
        client=report.client,
        environment=report.environment,
        fleet_file=report.fleet_file,
        fleet_digest=report.fleet_digest,
        made_at=report.finished_at,
        state_at=report.state_at,
        changes=report.planned,
        unchanged=report.unchanged,
        findings=report.findings,
        policies=dict(sorted(Counter(each.state for each in report.policies).items())),
        rules=len({each.rule for each in report.policies}),
        cost=report.cost,
        hosts=report.host_plans,
        next=[step.command or step.action for step in next_steps(report, most=3)],
        complete=report.complete,
        problem=report.problem,
        exit_code=report.exit_code,
    )


def to_json(plan: Plan) -> str:
    """One JSON document with sorted keys; money is text, so that no reader rounds it."""
    return document_text(plan.model_dump(mode="python", by_alias=True))


def plan_schema() -> str:
    """JSON Schema as text."""
    return schema_text(schema_of(Plan, "Steward plan, version 1"))
