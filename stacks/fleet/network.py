"""Networks and the flows a fleet allows between them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from stacks.fleet.units import Cidr, Port, Spec, parse_network

ANYWHERE = "anywhere"


class Network(Spec):
    """One private network; every server is in exactly one."""

    cidr: Cidr = Field(description="Private range of this network; may not overlap with another one's.")


def _source(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("write 'anywhere', the name of a server, or a network as CIDR")
    if "/" not in value:
        return value
    network = parse_network(value)
    if network.prefixlen == 0:
        raise ValueError("write 'anywhere' for a rule that lets everybody in")
    return str(network)


class Ingress(Spec):
    """One firewall rule by name: who may reach this server on which port."""

    source: Annotated[str, BeforeValidator(_source), WithJsonSchema({"type": "string"})] = Field(
        alias="from", description="'anywhere', the name of a server of this fleet, or a network as CIDR."
    )
    port: Port
    protocol: Literal["tcp", "udp"] = "tcp"
    publish: Port | None = Field(
        None,
        description="Local provider: fixed port on the loopback of the control machine (else a free one).",
    )

    @property
    def is_network(self) -> bool:
        """Whether the source is a CIDR rather than a name."""
        return "/" in self.source
