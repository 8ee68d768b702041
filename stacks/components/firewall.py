"""Firewall: the flows that may reach one server, with server names resolved to addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from stacks.components.network import Network
from stacks.components.server import Server
from stacks.fleet.network import ANYWHERE, Ingress
from stacks.providers.base import AllowedFlow, Provider, Tags


class Firewall(pulumi.ComponentResource):
    """Default deny, then the ingress rules of the server's group."""

    def __init__(
        self,
        server: Server,
        ingress: Sequence[Ingress],
        *,
        groups: Mapping[str, Sequence[Server]],
        network: Network,
        provider: Provider,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        own_tags = {**tags, "server": server.name}
        super().__init__("steward:index:Firewall", server.name, {"tags": own_tags}, opts)
        provider.firewall(
            server.resource,
            network.resource,
            name=server.name,
            rules=[allowed_flow(rule, groups) for rule in ingress],
            tags=own_tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def allowed_flow(rule: Ingress, groups: Mapping[str, Sequence[Server]]) -> AllowedFlow:
    """One ingress rule with its source as networks."""
    addresses: list[pulumi.Input[str]]
    if rule.source == ANYWHERE:
        addresses = ["0.0.0.0/0"]
    elif rule.is_network:
        addresses = [rule.source]
    else:
        addresses = [server.resource.address.apply(_single) for server in groups[rule.source]]
    label = rule.source.replace("/", "_").replace(".", "_")
    name = f"{label}-{rule.port}-{rule.protocol}"
    return AllowedFlow(name, rule.port, rule.protocol, rule.source, addresses)


def _single(address: str) -> str:
    return f"{address}/32"
