"""report: everything one run found, as one record. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.errors import StewardError
from orchestrator.reporting.findings import collect
from orchestrator.reporting.model import Flow, Network, Report, Server, Service
from orchestrator.reporting.verdict import exit_code
from orchestrator.results import RunResults
from stacks.fleet.loader import LoadedFleet
from stacks.fleet.model import Fleet
from stacks.outputs import FleetOutputs


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
    findings = collect(
        policies, results.checks, results.backups, hosts, results.steps, fleet_file=facts.fleet_file
    )
    earned = exit_code(findings, results.steps)
    last = results.provisioned or results.preview
    made = results.provisioned or (results.preview if facts.verb == "plan" else None)
    return Report(
        **vars(facts),
        stack=fleet.stack,
        client=fleet.client,
        environment=fleet.environment,
        region=fleet.region,
        provider=fleet.provider,
        owner=fleet.owner,
        fleet_digest=loaded.digest,
        exit_code=problem.exit_code if problem else earned,
        complete=problem is None,
        budget=budget_text(fleet),
        steps=results.steps,
        networks=[Network(name=name, cidr=str(spec.cidr)) for name, spec in fleet.networks.items()],
        servers=server_rows(fleet, outputs),
        flows=flow_rows(fleet),
        services=service_rows(fleet),
        changes=made.changes if made else (),
        unchanged=last.unchanged if last else 0,
        hosts=hosts,
        backups=results.backups,
        checks=results.checks,
        policies=policies,
        findings=findings,
    )


def server_rows(fleet: Fleet, outputs: FleetOutputs | None) -> list[Server]:
    """The servers that exist; before the first `up` there are none."""
    rows = []
    for made in outputs.servers if outputs else ():
        spec = fleet.servers.get(made.group)
        if spec is None:
            continue
        rows.append(
            Server(
                name=made.name,
                group=made.group,
                incarnation=made.incarnation,
                network=made.network,
                address=made.address,
                ssh=f"{made.ssh_host}:{made.ssh_port}",
                cpus=spec.capacity.cpus,
                memory_gib=spec.capacity.memory_gib,
                roles=[role.name for role in spec.roles],
                volumes=[f"{name} {disk.size_gib} GiB → {disk.mount}" for name, disk in spec.volumes.items()],
                urls=[f"http://127.0.0.1:{port}/" for inner, port in made.published.items() if inner == "80"],
            )
        )
    return rows


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
