"""Network: one private range of a fleet."""

from __future__ import annotations

import pulumi

from stacks.fleet.network import Network as NetworkSpec
from stacks.providers.base import NetworkResource, Provider, Tags


class Network(pulumi.ComponentResource):
    """A network as the fleet names it, and the vendor's resource behind it."""

    resource: NetworkResource
    cidr: str

    def __init__(
        self,
        name: str,
        spec: NetworkSpec,
        *,
        provider: Provider,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("steward:index:Network", name, {"cidr": str(spec.cidr), "tags": tags}, opts)
        self.cidr = str(spec.cidr)  # after the base class, which turns inputs into outputs of the same name
        child = pulumi.ResourceOptions(parent=self)
        self.resource = provider.network(name, cidr=self.cidr, tags=tags, opts=child)
        self.register_outputs({"networkId": self.resource.network_id, "gateway": self.resource.gateway})
