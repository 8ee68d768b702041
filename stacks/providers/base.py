"""The seam to a vendor: what a provider must make of each part of a fleet. Vendor names stay behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi

Tags = Mapping[str, str]


@dataclass(frozen=True)
class AllowedFlow:
    """One firewall rule with its source resolved to networks or single addresses (CIDR)."""

    name: str
    port: int
    protocol: str
    source: str
    addresses: Sequence[pulumi.Input[str]]


@dataclass(frozen=True)
class MountedVolume:
    """A volume and where the server mounts it."""

    name: str
    volume_id: pulumi.Input[str]
    mount: str
    bears_data: bool


@dataclass(frozen=True)
class PublishedPort:
    """A port reachable from outside; `host_port` fixes where, else the provider chooses."""

    port: int
    host_port: int | None = None


@dataclass(frozen=True)
class ServerRequest:
    """Everything a vendor needs to make one server."""

    name: str
    group: str
    cidr: str
    cpus: float
    memory_gib: float
    roles: Sequence[str]
    authorized_keys: Sequence[str]
    volumes: Sequence[MountedVolume]
    publish: Sequence[PublishedPort]


class IdentityResource(Protocol):
    """An id made once, kept in state for ever."""

    @property
    def identity(self) -> pulumi.Output[str]: ...


class NetworkResource(Protocol):
    """A network that servers can join."""

    @property
    def network_id(self) -> pulumi.Output[str]: ...

    @property
    def gateway(self) -> pulumi.Output[str]: ...


class VolumeResource(Protocol):
    """A disk."""

    @property
    def volume_id(self) -> pulumi.Output[str]: ...


class ServerResource(Protocol):
    """A running server; `host_key` is pinned by whoever connects."""

    @property
    def container_id(self) -> pulumi.Output[str]: ...

    @property
    def incarnation(self) -> pulumi.Output[str]: ...

    @property
    def address(self) -> pulumi.Output[str]: ...

    @property
    def ssh_host(self) -> pulumi.Output[str]: ...

    @property
    def ssh_port(self) -> pulumi.Output[int]: ...

    @property
    def ssh_user(self) -> pulumi.Output[str]: ...

    @property
    def host_key(self) -> pulumi.Output[str]: ...

    @property
    def published(self) -> pulumi.Output[Mapping[str, int]]: ...


class Provider(Protocol):
    """One vendor. Each method registers exactly one resource under the given options."""

    def identity(self, name: str, *, kind: str, tags: Tags, opts: pulumi.ResourceOptions) -> IdentityResource:
        """An immutable id for something that has no resource of its own."""
        ...

    def network(self, name: str, *, cidr: str, tags: Tags, opts: pulumi.ResourceOptions) -> NetworkResource:
        """A private network."""
        ...

    def volume(
        self, name: str, *, size_gib: int, bears_data: bool, tags: Tags, opts: pulumi.ResourceOptions
    ) -> VolumeResource:
        """A disk for one server."""
        ...

    def bucket(
        self, name: str, *, versioning: bool, bears_data: bool, tags: Tags, opts: pulumi.ResourceOptions
    ) -> object:
        """Object storage."""
        ...

    def server(
        self, request: ServerRequest, network: NetworkResource, *, tags: Tags, opts: pulumi.ResourceOptions
    ) -> ServerResource:
        """A server in a network, reachable over SSH with the given keys."""
        ...

    def firewall(
        self,
        server: ServerResource,
        network: NetworkResource,
        *,
        name: str,
        rules: Sequence[AllowedFlow],
        tags: Tags,
        opts: pulumi.ResourceOptions,
    ) -> object:
        """The flows that reach a server from outside its host; everything else is dropped."""
        ...
