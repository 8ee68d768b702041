"""report: everything one run found, as one record. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.cost.budget import findings as budget_findings
from orchestrator.errors import InputError, StewardError, ToolError
from orchestrator.reporting.findings import collect, ranked
from orchestrator.reporting.model import (
    Backup,
    Change,
    Finding,
    FleetServer,
    Flow,
    Network,
    Report,
    Server,
    Service,
    Step,
    StepState,
)
from orchestrator.reporting.verdict import exit_code
from orchestrator.results import RunResults
from stacks.fleet.loader import LoadedFleet
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs

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


def build_report(
    facts: RunFacts, loaded: LoadedFleet, results: RunResults, problem: StewardError | None
) -> Report:
    """The record of a run that came to an end, well or not."""
    fleet, outputs = loaded.fleet, results.outputs
    hosts = results.hosts(f"steward configure --fleet {shlex.quote(facts.fleet_file)} --host {{host}}")
    policies = results.policies()
    backups = [*results.backups, *(left_out(fleet, results.backups) if facts.verb in BACKUP_VERBS else ())]
    findings = collect(policies, results.checks, backups, hosts, results.steps, fleet_file=facts.fleet_file)
    findings = ranked([*findings, *budget_findings(results.cost, fleet.stack)])
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
        **_of_fleet(fleet, outputs),
        planned=still_planned(results),
        state_at=results.preview.state_at if results.preview else None,
        cost=results.cost,
        host_plans=results.host_plans,
        changes_known=made is not None or not any(broke_off(step) for step in results.steps),
        changes=made.changes if made else (),
        unchanged=last.unchanged if last else 0,
        hosts=hosts,
        backups=backups,
        checks=results.checks,
        policies=policies,
        findings=findings,
    )


def _of_fleet(fleet: Fleet, outputs: FleetOutputs | None) -> dict[str, Any]:
    """What the fleet file describes, and what of it is known to exist."""
    return {
        "networks": [Network(name=name, cidr=str(spec.cidr)) for name, spec in fleet.networks.items()],
        "fleet_servers": fleet_rows(fleet),
        "servers_looked_at": outputs is not None,
        "servers": server_rows(fleet, outputs),
        "flows": flow_rows(fleet),
        "services": service_rows(fleet),
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


def left_out(fleet: Fleet, rows: Sequence[Backup]) -> list[Backup]:
    """A row for every plan on every server of the fleet that the run did not look at."""
    seen = {(row.plan, row.server) for row in rows}
    return [
        Backup(
            plan=name,
            server=server,
            repository=fleet.repository_label(plan.repository),
            snapshot="",
            arrived_at=None,
            age_seconds=None,
            rpo_seconds=plan.rpo.total_seconds(),
            rto_seconds=plan.rto.total_seconds(),
            schedule=f"{plan.schedule} {plan.timezone}",
            keep={period: count for period, count in plan.keep.model_dump().items() if count},
            message="not looked at in this run",
            looked_at=False,
        )
        for group, server in fleet.server_names()
        for name, plan in fleet.plans_of(group).items()
        if (name, server) not in seen
    ]


def fleet_rows(fleet: Fleet) -> list[FleetServer]:
    """Every server of the fleet file."""
    return [FleetServer(**described(fleet, group, name)) for group, name in fleet.server_names()]


def described(fleet: Fleet, group: str, name: str) -> dict[str, Any]:
    """What the fleet file says of one server."""
    spec = fleet.servers[group]
    return {
        "name": name,
        "group": group,
        "network": spec.network,
        "cpus": spec.capacity.cpus,
        "memory_gib": spec.capacity.memory_gib,
        "roles": [role.name for role in spec.roles],
        "volumes": [f"{name} {disk.size_gib} GiB → {disk.mount}" for name, disk in spec.volumes.items()],
    }


def server_rows(fleet: Fleet, outputs: FleetOutputs | None) -> list[Server]:
    """The servers that exist; before the first `up` there are none."""
    return [
        Server(
            **described(fleet, made.group, made.name) | {"network": made.network},
            incarnation=made.incarnation,
            address=made.address,
            ssh=f"{made.ssh_host}:{made.ssh_port}",
            urls=[f"http://127.0.0.1:{port}/" for inner, port in made.published.items() if inner == "80"],
        )
        for made in (outputs.servers if outputs else ())
        if made.group in fleet.servers
    ]


def flow_rows(fleet: Fleet) -> list[Flow]:
    """Every flow the fleet allows; where backups go is said by the backups themselves."""
    return [
        Flow(source=rule.source, target=group, port=rule.port, protocol=rule.protocol)
        for group, server in fleet.servers.items()
        for rule in server.ingress
    ]


def service_rows(fleet: Fleet) -> list[Service]:
    """The services as the fleet describes them."""
    return [
        Service(
            name=name,
            purpose=service.purpose,
            owner=service.owner,
            availability_percent=service.availability.target_percent if service.availability else None,
            servers=service.servers,
        )
        for name, service in fleet.services.items()
    ]


def budget_text(fleet: Fleet) -> str:
    """`250 EUR/month`, or '' when none is agreed."""
    return f"{fleet.budget.amount} {fleet.budget.currency}/{fleet.budget.per}" if fleet.budget else ""


def fleet_label(path: Path, project: Path) -> str:
    """The fleet file as a person would type it: relative where that is shorter."""
    for base in (Path.cwd(), project):
        if path.is_relative_to(base):
            return str(path.relative_to(base))
    return str(path)
