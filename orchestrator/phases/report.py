"""report: everything one run found, as one record. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.backups.calendar import calendar
from orchestrator.cost.budget import findings as budget_findings
from orchestrator.errors import InputError, StewardError, ToolError
from orchestrator.phases.drift import findings as drift_findings
from orchestrator.phases.report_rows import (
    fleet_rows,
    flow_rows,
    left_out,
    restore_row,
    server_rows,
    service_rows,
)
from orchestrator.ports.backups import Receipt
from orchestrator.reporting.findings import collect, ranked
from orchestrator.reporting.folding import gathered
from orchestrator.reporting.history import RunRow
from orchestrator.reporting.model import (
    Backup,
    Change,
    Finding,
    Host,
    Network,
    Report,
    Step,
    StepState,
)
from orchestrator.reporting.seen import PolicyFigures
from orchestrator.reporting.verdict import exit_code
from orchestrator.results import RunResults
from stacks.fleet.loader import LoadedFleet
from stacks.fleet.model import Fleet

BACKUP_VERBS = ("up", "backup run", "backup status")
"""Verbs whose report accounts for every backup of the fleet."""


@dataclass(frozen=True)
class RunFacts:
    """Who did what, when, with which versions."""

    run: str
    verb: str
    actor: str
    steward_version: str
    tool_versions: Mapping[str, str]
    started_at: datetime
    finished_at: datetime
    fleet_file: str
    stack_id: str = ""


@dataclass(frozen=True)
class Past:
    """What earlier runs of the stack left: arrivals of its backups, and a row per run, oldest first."""

    arrivals: Sequence[Receipt] = ()
    runs: Sequence[RunRow] = ()


def build_report(
    facts: RunFacts,
    loaded: LoadedFleet,
    results: RunResults,
    problem: StewardError | None,
    past: Past = Past(),
) -> Report:
    """The record of a run that came to an end, well or not."""
    fleet = loaded.fleet
    hosts = results.hosts(f"steward configure --fleet {shlex.quote(facts.fleet_file)} --host {{host}}")
    backups = [*results.backups, *(left_out(fleet, results.backups) if facts.verb in BACKUP_VERBS else ())]
    findings = _findings(facts, fleet, results, hosts, backups)
    if problem and not any(finding.blocking for finding in findings):
        findings = [*findings, told(problem)]
    last, made = results.provisioned or results.preview, results.provisioned
    return Report(
        **vars(facts),
        stack=fleet.stack,
        client=fleet.client,
        environment=fleet.environment,
        region=fleet.region,
        provider=fleet.provider,
        owner=fleet.owner,
        fleet_digest=loaded.digest,
        exit_code=ended_with(problem, results.steps) if problem else exit_code(findings, results.steps),
        complete=problem is None,
        problem=str(problem) if problem else "",
        budget=budget_text(fleet),
        steps=results.steps,
        **_of_fleet(fleet, results, facts.finished_at, past),
        planned=still_planned(results),
        state_at=results.preview.state_at if results.preview else None,
        cost=results.cost,
        host_plans=results.host_plans,
        changes_known=made is not None or not any(broke_off(step) for step in results.steps),
        changes=made.changes if made else (),
        unchanged=last.unchanged if last else 0,
        hosts=hosts,
        backups=backups,
        probes=results.probes,
        patched=results.patched,
        checks=gathered(results.checks),
        policies=gathered(results.policies()),
        policy_figures=_figures(results),
        findings=findings,
    )


def _figures(results: RunResults) -> PolicyFigures | None:
    """What the policy report of the run counts; None where the run left none."""
    if results.judgement is None:
        return None
    found = results.judgement.report
    return PolicyFigures(rules=len(found.rules), subjects=len(found.subjects), counts=dict(found.counts))


def _findings(
    facts: RunFacts, fleet: Fleet, results: RunResults, hosts: Sequence[Host], backups: Sequence[Backup]
) -> list[Finding]:
    """What a person must act on, worst first."""
    found = collect(
        results.policies(),
        results.checks,
        backups,
        hosts,
        results.steps,
        fleet_file=facts.fleet_file,
        probes=results.probes,
        restore=restore_row(fleet, results),
    )
    return ranked([*found, *budget_findings(results.cost, fleet.stack), *drift_findings(results.drift)])


def _of_fleet(fleet: Fleet, results: RunResults, now: datetime, past: Past) -> dict[str, Any]:
    """What the fleet file describes, what of it is known to exist, and what was seen of it so far."""
    outputs = results.outputs
    arrivals = [*past.arrivals, *results.receipts]
    return {
        "networks": [Network(name=name, cidr=str(spec.cidr)) for name, spec in fleet.networks.items()],
        "fleet_servers": fleet_rows(fleet),
        "servers_looked_at": outputs is not None,
        "servers": server_rows(fleet, outputs),
        "flows": flow_rows(fleet),
        "services": service_rows(fleet, results.probes, past.runs),
        "calendar": calendar(fleet, outputs.servers if outputs else (), arrivals, now),
        "restore": restore_row(fleet, results),
    }


def ended_with(problem: StewardError, steps: Sequence[Step]) -> int:
    """The exit code of an error; 2 promises that nothing was touched, which a begun write step takes back."""
    written = any(step.effect == "write" for step in steps)
    return ToolError.exit_code if isinstance(problem, InputError) and written else problem.exit_code


def told(problem: StewardError) -> Finding:
    """An error between steps as a finding: no step, host, check or rule tells it."""
    return Finding(
        source="run",
        severity="high",
        blocking=True,
        subject=problem.subject,
        title=problem.message,
        observed=problem.got,
        expected=problem.rule,
        fix=problem.next_step,
    )


def still_planned(results: RunResults) -> list[Change]:
    """What the preview announced and the run did not make, as far as is known."""
    made = {change.urn for change in results.provisioned.changes} if results.provisioned else set()
    done = results.provisioned is not None and not results.provisioned.failure
    planned = results.preview.changes if results.preview and not done else ()
    return [change for change in planned if change.urn not in made]


def broke_off(step: Step) -> bool:
    """Whether provisioning began and did not come to its end."""
    return step.name == "provision" and step.state is not StepState.DONE


def budget_text(fleet: Fleet) -> str:
    """`250 EUR/month`, or '' when none is agreed."""
    return f"{fleet.budget.amount} {fleet.budget.currency}/{fleet.budget.per}" if fleet.budget else ""


def fleet_label(path: Path, project: Path) -> str:
    """The fleet file as a person would type it: relative where that is shorter."""
    for base in (Path.cwd(), project):
        if path.is_relative_to(base):
            return str(path.relative_to(base))
    return str(path)
