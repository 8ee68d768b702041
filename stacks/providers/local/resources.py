"""The program's side of the local provider: one hand-written class a resource type.

Attributes whose wire name is no Python name are properties (`network_id` for `networkId`); records inside
inputs keep the wire's names (`volumeId`, `hostPort`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import pulumi

Text: TypeAlias = pulumi.Input[str]
Tags: TypeAlias = pulumi.Input[Mapping[str, pulumi.Input[str]]]
Records: TypeAlias = pulumi.Input[Sequence[pulumi.Input[Mapping[str, Any]]]]


class Identity(pulumi.CustomResource):
    """An id drawn once: 32 hex digits, unknown in a preview."""

    identity: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        kind: Text,
        name: Text,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {"kind": kind, "name": name, "tags": tags, "identity": None}
        super().__init__("local:index:Identity", resource_name, properties, opts)


class Network(pulumi.CustomResource):
    """A bridge with its own subnet; the control machine is the gateway."""

    cidr: pulumi.Output[str]
    gateway: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        name: Text,
        cidr: Text,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {"name": name, "cidr": cidr, "tags": tags, "networkId": None, "gateway": None}
        super().__init__("local:index:Network", resource_name, properties, opts)

    @property
    @pulumi.getter(name="networkId")
    def network_id(self) -> pulumi.Output[str]:
        """Podman's name of the network."""
        return cast("pulumi.Output[str]", pulumi.get(self, "networkId"))


class Volume(pulumi.CustomResource):
    """A named Podman volume; its size is a plan, not a limit."""

    def __init__(
        self,
        resource_name: str,
        *,
        name: Text,
        size_gib: pulumi.Input[float],
        data_bearing: pulumi.Input[bool],
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "name": name,
            "sizeGib": size_gib,
            "dataBearing": data_bearing,
            "tags": tags,
            "volumeId": None,
        }
        super().__init__("local:index:Volume", resource_name, properties, opts)

    @property
    @pulumi.getter(name="volumeId")
    def volume_id(self) -> pulumi.Output[str]:
        """Podman's name of the volume."""
        return cast("pulumi.Output[str]", pulumi.get(self, "volumeId"))


class Bucket(pulumi.CustomResource):
    """A folder that stands in for an object store."""

    endpoint: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        name: Text,
        versioning: pulumi.Input[bool],
        data_bearing: pulumi.Input[bool],
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "name": name,
            "versioning": versioning,
            "dataBearing": data_bearing,
            "tags": tags,
            "bucketId": None,
            "endpoint": None,
        }
        super().__init__("local:index:Bucket", resource_name, properties, opts)

    @property
    @pulumi.getter(name="bucketId")
    def bucket_id(self) -> pulumi.Output[str]:
        """The folder's name."""
        return cast("pulumi.Output[str]", pulumi.get(self, "bucketId"))


class Server(pulumi.CustomResource):
    """A Debian machine with systemd and SSH on a loopback port."""

    incarnation: pulumi.Output[str]
    address: pulumi.Output[str]
    published: pulumi.Output[Mapping[str, int]]
    """Port inside -> port on this machine's loopback address."""
    state: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        name: Text,
        group: Text,
        image: Text,
        network_id: Text,
        cidr: Text,
        gateway: Text,
        address: Text | None,
        cpus: pulumi.Input[float],
        memory_gib: pulumi.Input[float],
        roles: pulumi.Input[Sequence[Text]],
        volumes: Records,
        publish: Records,
        authorized_keys: pulumi.Input[Sequence[Text]],
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "name": name,
            "group": group,
            "image": image,
            "networkId": network_id,
            "cidr": cidr,
            "gateway": gateway,
            "address": address,
            "cpus": cpus,
            "memoryGib": memory_gib,
            "roles": roles,
            "volumes": volumes,
            "publish": publish,
            "authorizedKeys": authorized_keys,
            "tags": tags,
        }
        chosen = ("containerId", "incarnation", "sshHost", "sshPort", "sshUser", "hostKey", "published")
        seen = ("state", "limitsEnforced")
        properties = {**inputs, **dict.fromkeys((*chosen, *seen))}
        super().__init__("local:index:Server", resource_name, properties, opts)

    @property
    @pulumi.getter(name="containerId")
    def container_id(self) -> pulumi.Output[str]:
        """Podman's name of the container."""
        return cast("pulumi.Output[str]", pulumi.get(self, "containerId"))

    @property
    @pulumi.getter(name="sshHost")
    def ssh_host(self) -> pulumi.Output[str]:
        """Where SSH is reached from the control machine."""
        return cast("pulumi.Output[str]", pulumi.get(self, "sshHost"))

    @property
    @pulumi.getter(name="sshPort")
    def ssh_port(self) -> pulumi.Output[int]:
        """The loopback port that leads to the server's SSH; stays for the server's life."""
        return cast("pulumi.Output[int]", pulumi.get(self, "sshPort"))

    @property
    @pulumi.getter(name="sshUser")
    def ssh_user(self) -> pulumi.Output[str]:
        """The admin user."""
        return cast("pulumi.Output[str]", pulumi.get(self, "sshUser"))

    @property
    @pulumi.getter(name="hostKey")
    def host_key(self) -> pulumi.Output[str]:
        """The public host key, `ssh-ed25519 AAAA...`, made before the first boot."""
        return cast("pulumi.Output[str]", pulumi.get(self, "hostKey"))

    @property
    @pulumi.getter(name="limitsEnforced")
    def limits_enforced(self) -> pulumi.Output[bool]:
        """Whether this machine enforces processor and memory limits."""
        return cast("pulumi.Output[bool]", pulumi.get(self, "limitsEnforced"))


class Firewall(pulumi.CustomResource):
    """The outer firewall of one server."""

    digest: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        name: Text,
        container_id: Text,
        incarnation: Text,
        gateway: Text,
        rules: Records,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "name": name,
            "containerId": container_id,
            "incarnation": incarnation,
            "gateway": gateway,
            "rules": rules,
            "tags": tags,
            "digest": None,
            "live": None,
        }
        super().__init__("local:index:Firewall", resource_name, properties, opts)
