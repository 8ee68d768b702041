"""Rows of a report that follow from the fleet, the outputs and what was seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from orchestrator.reporting.history import RunRow
from orchestrator.reporting.model import Backup, FleetServer, Flow, Probe, Server, Service, Verdict
from orchestrator.reporting.seen import Restore
from orchestrator.results import RunResults
from stacks.fleet.model import Fleet
from stacks.fleet.service import Service as ServiceSpec
from stacks.outputs import FleetOutputs


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


def service_rows(fleet: Fleet, probes: Sequence[Probe], earlier: Sequence[RunRow]) -> list[Service]:
    """The services as the fleet describes them, with every look at them that is known."""
    return [
        Service(
            name=name,
            purpose=spec.purpose,
            owner=spec.owner,
            availability_percent=spec.availability.target_percent if spec.availability else None,
            servers=spec.servers,
            maintenance=f"{spec.maintenance.window} {spec.maintenance.timezone}" if spec.maintenance else "",
            probe=_probe_text(spec),
            **_measured([each for each in probes if each.service == name], name, earlier),
        )
        for name, spec in fleet.services.items()
    ]


def _probe_text(spec: ServiceSpec) -> str:
    probe = spec.availability.probe if spec.availability else None
    return f"GET {probe.path} on {probe.http} answers {probe.expect}" if probe else ""


def _measured(now: Iterable[Probe], name: str, earlier: Sequence[RunRow]) -> dict[str, Any]:
    """Looks of this run and earlier ones; one that could not ask is none."""
    asked = [each for each in now if each.verdict in (Verdict.PASS, Verdict.FAIL)]
    before = [row for row in earlier if row.looks.get(name)]
    answered = sum(each.verdict is Verdict.PASS for each in asked)
    return {
        "looks": len(asked) + sum(row.looks[name][1] for row in before),
        "answered": answered + sum(row.looks[name][0] for row in before),
        "since": min([row.started_at for row in before] + [each.at for each in asked], default=None),
    }


def restore_row(fleet: Fleet, results: RunResults) -> Restore | None:
    """What a restore came to, against the plan's RTO."""
    found = results.restored
    if found is None or found.plan not in fleet.backups:
        return None
    return Restore(
        plan=found.plan,
        server=results.restored_on,
        snapshot=found.snapshot or "",
        ok=found.ok,
        seconds=found.duration_seconds,
        rto_seconds=fleet.backups[found.plan].rto.total_seconds(),
        files=found.files_compared,
        tables=found.tables_compared,
        differences=len(found.files_different) + len(found.tables_different),
        message=found.error or "",
        repository=results.restored_from,
        predecessor=_of_predecessor(results),
    )


def _of_predecessor(results: RunResults) -> bool:
    own = {made.incarnation for made in (results.outputs.servers if results.outputs else ())}
    return bool(results.restored_from) and results.restored_from not in own
