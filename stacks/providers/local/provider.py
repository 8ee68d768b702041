"""The local provider behind the seam: turns the fleet's requests into resources of the plugin."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from stacks.providers.base import (
    AllowedFlow,
    NetworkResource,
    PublishedPort,
    ServerRequest,
    ServerResource,
    Tags,
)
from stacks.providers.local import resources

OPERATING_SYSTEM = "debian-12"
_TIMEOUTS = pulumi.CustomTimeouts(create="3m", update="3m", delete="2m")


class LocalProvider:
    """Implements `base.Provider` with servers in Podman on this machine."""

    def identity(
        self, name: str, *, kind: str, tags: Tags, opts: pulumi.ResourceOptions
    ) -> resources.Identity:
        """An immutable id for something that has no resource of its own."""
        return resources.Identity(name, kind=kind, name=name, tags=tags, opts=opts)

    def network(self, name: str, *, cidr: str, tags: Tags, opts: pulumi.ResourceOptions) -> resources.Network:
        """A private network."""
        return resources.Network(name, name=name, cidr=cidr, tags=tags, opts=opts)

    def volume(
        self, name: str, *, size_gib: int, bears_data: bool, tags: Tags, opts: pulumi.ResourceOptions
    ) -> resources.Volume:
        """A disk for one server."""
        return resources.Volume(
            name, name=name, size_gib=size_gib, data_bearing=bears_data, tags=tags, opts=opts
        )

    def bucket(
        self, name: str, *, versioning: bool, bears_data: bool, tags: Tags, opts: pulumi.ResourceOptions
    ) -> resources.Bucket:
        """Object storage; on this provider a folder."""
        return resources.Bucket(
            name, name=name, versioning=versioning, data_bearing=bears_data, tags=tags, opts=opts
        )

    def server(
        self, request: ServerRequest, network: NetworkResource, *, tags: Tags, opts: pulumi.ResourceOptions
    ) -> ServerResource:
        """A server in a network, reachable over SSH with the given keys."""
        timed = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=_TIMEOUTS))
        return resources.Server(
            request.name,
            name=request.name,
            group=request.group,
            image=OPERATING_SYSTEM,
            network_id=network.network_id,
            cidr=request.cidr,
            gateway=network.gateway,
            address=None,
            cpus=request.cpus,
            memory_gib=request.memory_gib,
            roles=list(request.roles),
            volumes=[
                {"name": v.name, "volumeId": v.volume_id, "mount": v.mount, "dataBearing": v.bears_data}
                for v in request.volumes
            ],
            publish=[_published(port) for port in request.publish],
            authorized_keys=list(request.authorized_keys),
            tags=tags,
            opts=timed,
        )

    def firewall(
        self,
        server: ServerResource,
        network: NetworkResource,
        *,
        name: str,
        rules: Sequence[AllowedFlow],
        tags: Tags,
        opts: pulumi.ResourceOptions,
    ) -> resources.Firewall:
        """The flows that reach a server from outside its host; everything else is dropped."""
        return resources.Firewall(
            name,
            name=name,
            container_id=server.container_id,
            incarnation=server.incarnation,
            gateway=network.gateway,
            rules=[
                {
                    "name": rule.name,
                    "port": rule.port,
                    "protocol": rule.protocol,
                    "source": rule.source,
                    "addresses": list(rule.addresses),
                }
                for rule in rules
            ],
            tags=tags,
            opts=opts,
        )


def _published(port: PublishedPort) -> dict[str, int]:
    return {"port": port.port} | ({"hostPort": port.host_port} if port.host_port is not None else {})
