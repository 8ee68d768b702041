"""The desired state of one fleet, from the spec to its outputs; the same for every provider."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from stacks.components.backup_plan import BackupPlan
from stacks.components.bucket import Bucket
from stacks.components.firewall import Firewall
from stacks.components.fleet import Fleet
from stacks.components.network import Network
from stacks.components.server import Server
from stacks.fleet.loader import load
from stacks.fleet.mistakes import FleetInvalid
from stacks.fleet.model import Fleet as FleetSpec
from stacks.outputs import OUTPUT_NAME
from stacks.providers.base import Provider

ProgramOutputs = Mapping[str, pulumi.Input[object]]


@dataclass(frozen=True)
class StackIdentity:
    """What `steward` wrote into the stack's configuration when the stack was made."""

    client_id: str
    stack_id: str
    admin_key: str


def main() -> None:
    """What a stack's program calls: load the fleet that the stack's configuration names, register, export."""
    config = pulumi.Config("steward")
    stack = pulumi.get_stack()
    fleet = read_fleet(Path(pulumi.runtime.get_root_directory()), stack, config)
    identity = read_identity(stack, config)
    pulumi.export(OUTPUT_NAME, deploy(fleet, identity, provider_for(fleet.provider)))


def read_fleet(root: Path, stack: str, config: pulumi.Config) -> FleetSpec:
    """Load the fleet file that the stack's configuration names; refuses another stack's fleet."""
    path = config.get("fleet")
    if path is None:
        raise pulumi.RunError(
            f'{stack}: steward:fleet: the stack has no fleet file. Run: eval "$(steward env --fleet FILE)"'
        )
    try:
        fleet = load(root / path).fleet
    except FleetInvalid as problem:
        raise pulumi.RunError(str(problem)) from problem
    if fleet.stack != stack:
        raise pulumi.RunError(
            f"{stack}: steward:fleet: {path} describes the stack '{fleet.stack}', not '{stack}'. "
            f'Select it with: eval "$(steward env --fleet {shlex.quote(path)})"'
        )
    return fleet


def read_identity(stack: str, config: pulumi.Config) -> StackIdentity:
    """The ids and the public admin key of the stack; refuses a stack that `steward` has not made."""
    values = {key: config.get(key) for key in ("clientId", "stackId", "adminKey")}
    missing = [key for key, value in values.items() if value is None]
    if missing:
        raise pulumi.RunError(
            f"{stack}: steward:{missing[0]}: not set, so this stack has no identity. "
            'Run: eval "$(steward env --fleet FILE)"'
        )
    return StackIdentity(str(values["clientId"]), str(values["stackId"]), str(values["adminKey"]))


def provider_for(name: str) -> Provider:
    """The vendor behind the seam."""
    if name == "local":
        from stacks.providers.local.provider import LocalProvider

        return LocalProvider()
    raise pulumi.RunError(f"provider '{name}' is not built; known: local")


def fleet_tags(fleet: FleetSpec, identity: StackIdentity) -> dict[str, str]:
    """The tags that every resource of the fleet carries."""
    tags = {
        "client": fleet.client,
        "clientId": identity.client_id,
        "environment": fleet.environment,
        "stack": fleet.stack,
        "stackId": identity.stack_id,
        "owner": fleet.owner,
        "region": fleet.region,
        "profile": fleet.profile,
    }
    return {**tags, "costCentre": fleet.cost_centre} if fleet.cost_centre else tags


def deploy(fleet: FleetSpec, identity: StackIdentity, provider: Provider) -> ProgramOutputs:
    """Register every resource of the fleet, in order, and return what is exported."""
    tags = fleet_tags(fleet, identity)
    under = pulumi.ResourceOptions(parent=Fleet(fleet, tags=tags))
    networks = {
        name: Network(name, spec, provider=provider, tags=tags, opts=under)
        for name, spec in fleet.networks.items()
    }
    for name, bucket in fleet.storage.items():
        Bucket(name, bucket, provider=provider, tags=tags, opts=under)
    groups = {
        group: [
            Server(
                name, group, spec, network=networks[spec.network], authorized_keys=[identity.admin_key],
                provider=provider, tags=tags, opts=under,
            )
            for name in spec.names(group)
        ]
        for group, spec in fleet.servers.items()
    }  # fmt: skip
    for group, spec in fleet.servers.items():
        for server in groups[group]:
            Firewall(
                server, spec.ingress, groups=groups, network=networks[spec.network],
                provider=provider, tags=tags, opts=under,
            )  # fmt: skip
    plans = {
        name: BackupPlan(name, fleet, provider=provider, tags=tags, opts=under) for name in fleet.backups
    }
    return {
        "version": 1,
        "client": fleet.client,
        "client_id": identity.client_id,
        "environment": fleet.environment,
        "stack": fleet.stack,
        "stack_id": identity.stack_id,
        "networks": [network_output(name, network) for name, network in networks.items()],
        "servers": [server_output(server, fleet) for servers in groups.values() for server in servers],
        "repositories": repository_outputs(fleet, groups),
        "plans": [{"name": name, "id": plan.identity} for name, plan in plans.items()],
    }


def network_output(name: str, network: Network) -> dict[str, object]:
    """One entry of `FleetOutputs.networks`."""
    made = network.resource
    return {"name": name, "cidr": network.cidr, "network_id": made.network_id, "gateway": made.gateway}


def server_output(server: Server, fleet: FleetSpec) -> dict[str, object]:
    """One entry of `FleetOutputs.servers`."""
    made = server.resource
    return {
        "name": server.name,
        "group": server.group,
        "network": fleet.servers[server.group].network,
        "incarnation": made.incarnation,
        "address": made.address,
        "ssh_host": made.ssh_host,
        "ssh_port": made.ssh_port,
        "ssh_user": made.ssh_user,
        "host_key": made.host_key,
        "published": made.published,
    }


def repository_outputs(fleet: FleetSpec, groups: Mapping[str, Sequence[Server]]) -> list[dict[str, object]]:
    """The vaults of this fleet that other stacks may write to."""
    vaults = {name: groups[spec.server][0] for name, spec in fleet.repositories.items() if spec.server}
    return [
        {"name": name, "server": vault.name, "address": vault.resource.address}
        for name, vault in vaults.items()
    ]
