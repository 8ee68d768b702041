"""Podman's objects as typed records, read from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any


@dataclass(frozen=True)
class Container:
    """One container as Podman tells it; `state` is created, running, exited or stopped."""

    name: str
    state: str
    labels: Mapping[str, str]
    host_ports: frozenset[int]
    pid: int
    """Of its init on this machine; 0 while it does not run."""


@dataclass(frozen=True)
class Inspected(Container):
    """One container with all that Podman fixes when it makes one."""

    identity: str
    """Podman's id: another container of the same name has another one."""
    image: str
    mounts: Mapping[str, str]
    """Where -> which volume."""
    ports: Mapping[int, int]
    """Port inside -> port of this machine."""
    network_namespace: str
    """Its path on this machine, '' while it does not run or where Podman does not say."""
    disk: str
    """Where its file system is mounted on this machine, '' as above."""


@dataclass(frozen=True)
class NetworkRecord:
    """One Podman network."""

    name: str
    interface: str
    labels: Mapping[str, str]
    subnets: tuple[IPv4Network, ...]


@dataclass(frozen=True)
class VolumeRecord:
    """One Podman volume."""

    name: str
    labels: Mapping[str, str]


def container(record: Mapping[str, Any]) -> Container:
    """From `podman ps`."""
    return Container(
        name=str(record["Names"][0]),
        state=str(record["State"]),
        labels=record.get("Labels") or {},
        host_ports=frozenset(
            int(item["host_port"]) + offset
            for item in record.get("Ports") or []
            for offset in range(int(item.get("range") or 1))
        ),
        pid=int(record.get("Pid") or 0),
    )


def inspected(record: Mapping[str, Any]) -> Inspected:
    """From `podman container inspect`."""
    bindings = (record.get("HostConfig") or {}).get("PortBindings") or {}
    ports = {
        int(inside.split("/")[0]): int(item["HostPort"])
        for inside, items in bindings.items()
        for item in items or []
        if item.get("HostPort")
    }
    network = record.get("NetworkSettings") or {}
    disk = (record.get("GraphDriver") or {}).get("Data") or {}
    return Inspected(
        name=str(record["Name"]),
        state=str(record["State"]["Status"]),
        labels=record["Config"].get("Labels") or {},
        host_ports=frozenset(ports.values()),
        pid=int(record["State"].get("Pid") or 0),
        identity=str(record["Id"]),
        image=str(record["ImageName"]),
        mounts={
            str(mount["Destination"]): str(mount["Name"])
            for mount in record.get("Mounts") or []
            if mount.get("Type") == "volume"
        },
        ports=ports,
        network_namespace=str(network.get("SandboxKey") or ""),
        disk=str(disk.get("MergedDir") or ""),
    )


def network(record: Mapping[str, Any]) -> NetworkRecord:
    """From `podman network ls`."""
    return NetworkRecord(
        name=str(record["name"]),
        interface=str(record.get("network_interface", "")),
        labels=record.get("labels") or {},
        subnets=tuple(
            IPv4Network(item["subnet"]) for item in record.get("subnets") or [] if "." in item["subnet"]
        ),
    )


def volume(record: Mapping[str, Any]) -> VolumeRecord:
    """From `podman volume ls`."""
    return VolumeRecord(name=str(record["Name"]), labels=record.get("Labels") or {})
