"""Server: one machine of a group, with its disks."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from stacks.components.network import Network
from stacks.components.volume import Volume
from stacks.fleet.network import ANYWHERE
from stacks.fleet.server import Server as ServerSpec
from stacks.providers.base import Provider, PublishedPort, ServerRequest, ServerResource, Tags


class Server(pulumi.ComponentResource):
    """A server as the fleet names it; its volumes are children of its own, so that they outlive it."""

    resource: ServerResource
    name: str
    group: str

    def __init__(
        self,
        name: str,
        group: str,
        spec: ServerSpec,
        *,
        network: Network,
        authorized_keys: Sequence[str],
        provider: Provider,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        own_tags = {**tags, "server": name}
        roles = [role.name for role in spec.roles]
        inputs = {"group": group, "roles": roles, "tags": own_tags}
        super().__init__("steward:index:Server", name, inputs, opts)
        # After the base class, which turns inputs into outputs of the same name.
        self.name, self.group = name, group
        inside = pulumi.ResourceOptions(parent=self)
        volumes = [
            Volume(name, volume, disk, provider=provider, tags=own_tags, opts=inside).mounted
            for volume, disk in spec.volumes.items()
        ]
        request = ServerRequest(
            name=name,
            group=group,
            cidr=network.cidr,
            cpus=spec.capacity.cpus,
            memory_gib=spec.capacity.memory_gib,
            roles=roles,
            authorized_keys=authorized_keys,
            volumes=volumes,
            publish=published_ports(spec),
        )
        self.resource = provider.server(request, network.resource, tags=own_tags, opts=inside)
        self.register_outputs({"address": self.resource.address, "incarnation": self.resource.incarnation})


def published_ports(spec: ServerSpec) -> list[PublishedPort]:
    """What is open to anywhere over TCP can be reached from outside; everything else stays in its network."""
    return [
        PublishedPort(rule.port, rule.publish)
        for rule in spec.ingress
        if rule.source == ANYWHERE and rule.protocol == "tcp"
    ]
