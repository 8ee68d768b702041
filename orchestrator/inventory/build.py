"""Fleet and outputs to inventory: pure. Refuses a server without outputs, by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from orchestrator.errors import ToolError
from orchestrator.inventory.declared import declared
from orchestrator.inventory.given import NOTHING, with_supplies
from orchestrator.inventory.model import Inventory, InventoryHost
from orchestrator.inventory.supplies import Supplies
from stacks.fleet.backup import BackupPlan
from stacks.fleet.model import Fleet
from stacks.fleet.network import ANYWHERE, Ingress
from stacks.fleet.references import VAULT_ROLE
from stacks.outputs import FleetOutputs, ServerOutput

BACKUP_GROUP = "backup_hosts"
_LONGEST_JITTER = timedelta(minutes=15)
_JITTER_SHARE = 20
"""A timer may wander by a twentieth of its schedule's gap."""
_POSTGRESQL_PORT = 5432
_REDIS_PORT = 6379


@dataclass(frozen=True)
class RepositoryAccess:
    """How one server reaches its own repository; passwords are secrets."""

    url: str
    user: str
    certificate: str
    http_password: str
    password: str


@dataclass(frozen=True)
class Binaries:
    """The pinned builds on the control machine that roles copy to hosts."""

    restic: Path
    rest_server: Path


def build_inventory(
    fleet: Fleet,
    outputs: FleetOutputs,
    run: str,
    binaries: Binaries,
    access: Mapping[str, RepositoryAccess],
    only: Collection[str] | None = None,
    supplies: Supplies = NOTHING,
    lock_seconds: float = 300,
) -> Inventory:
    """One host per server of the fleet; `access` is by server name, for servers with backup plans.

    `only` leaves out the other servers, which may not be there yet. `lock_seconds` is how long apt waits for
    another program that holds its lock.
    """
    hosts = []
    for group, name in fleet.server_names():
        if only is not None and name not in only:
            continue
        try:
            server = outputs.server(name)
        except KeyError as problem:
            raise ToolError(
                outputs.stack, f"server '{name}' is in the fleet but not among the outputs",
                next_step="Run steward up again.",
            ) from problem  # fmt: skip
        host = _host(fleet, outputs, group, server, binaries, access.get(name))
        hosts.append(with_supplies(host, fleet, outputs, server, supplies))
    shared = {
        "steward_run": run,
        "steward_stack": fleet.stack,
        "steward_client": fleet.client,
        "steward_environment": fleet.environment,
        "steward_lock_seconds": str(round(lock_seconds)),
    }
    return Inventory(hosts=hosts, shared=shared, declared=declared(fleet, outputs))


def _host(
    fleet: Fleet,
    outputs: FleetOutputs,
    group: str,
    server: ServerOutput,
    binaries: Binaries,
    access: RepositoryAccess | None,
) -> InventoryHost:
    roles = [role.name for role in fleet.servers[group].roles]
    variables = {
        **_connection(server),
        **_baseline(fleet, outputs, group, server),
    }
    secrets: dict[str, Any] = {}
    groups = [f"role_{role}" for role in roles]
    if VAULT_ROLE in roles:
        variables["backup_vault_rest_server_binary"] = str(binaries.rest_server)
    if "postgresql" in roles:
        variables["postgresql_allowed_networks"] = _clients(
            fleet, outputs, group, "postgresql", _POSTGRESQL_PORT
        )
    if "redis" in roles:
        variables["redis_allowed_networks"] = _clients(fleet, outputs, group, "redis", _REDIS_PORT)
    if access is not None:
        groups.append(BACKUP_GROUP)
        variables |= _backup(fleet, outputs, group, binaries)
        secrets["backup_repository"] = vars(access)
    return InventoryHost(name=server.name, groups=groups, variables=variables, secrets=secrets)


def _connection(server: ServerOutput) -> dict[str, Any]:
    return {
        "ansible_host": server.ssh_host,
        "ansible_port": server.ssh_port,
        "ansible_user": server.ssh_user,
        "steward_server": server.name,
        "steward_group": server.group,
        "steward_incarnation": server.incarnation,
        "steward_address": server.address,
    }


def _baseline(fleet: Fleet, outputs: FleetOutputs, group: str, server: ServerOutput) -> dict[str, Any]:
    rules = fleet.servers[group].ingress
    return {
        "baseline_gateway": outputs.network(server.network).gateway,
        "baseline_ingress": [
            {
                "name": f"{rule.source}-{rule.port}",
                "port": rule.port,
                "protocol": rule.protocol,
                "addresses": source_addresses(rule, outputs),
            }
            for rule in rules
        ],
    }


def source_addresses(rule: Ingress, outputs: FleetOutputs) -> list[str]:
    """The networks or single addresses (CIDR) that a rule's source stands for."""
    if rule.source == ANYWHERE:
        return ["0.0.0.0/0"]
    if rule.is_network:
        return [rule.source]
    return [f"{server.address}/32" for server in outputs.group(rule.source)]


def _clients(fleet: Fleet, outputs: FleetOutputs, group: str, name: str, usual_port: int) -> list[str]:
    """Networks and addresses that the fleet lets in to a role's port."""
    role = fleet.servers[group].role(name)
    port = role.variables.get("port", usual_port) if role else usual_port
    rules = [rule for rule in fleet.servers[group].ingress if rule.port == port]
    return sorted({address for rule in rules for address in source_addresses(rule, outputs)})


def _backup(fleet: Fleet, outputs: FleetOutputs, group: str, binaries: Binaries) -> dict[str, Any]:
    ids = {plan.name: plan.id for plan in outputs.plans}
    return {
        "backup_restic_binary": str(binaries.restic),
        "backup_plans": [
            _plan(name, plan, ids.get(name, "")) for name, plan in fleet.plans_of(group).items()
        ],
    }


def _plan(name: str, plan: BackupPlan, plan_id: str) -> dict[str, Any]:
    if not plan_id:
        raise ToolError(
            "backups", f"plan '{name}' has no id among the outputs", next_step="Run steward up again."
        )
    return {
        "name": name,
        "id": plan_id,
        "kind": plan.kind,
        "paths": list(plan.paths),
        "databases": list(plan.postgresql),
        "on_calendar": plan.cron.on_calendar(plan.timezone),
        "jitter_seconds": int(jitter(plan).total_seconds()),
        "keep": plan.keep.model_dump(),
    }


def jitter(plan: BackupPlan) -> timedelta:
    """How far a host's timer may lie behind the schedule, so that not every host writes at once."""
    return min(_LONGEST_JITTER, plan.longest_gap / _JITTER_SHARE)
