"""One server as it is to be made: pure, from choices to Podman's arguments and Pulumi's outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from stacks.providers.local.addresses import hardware_address
from stacks.providers.local.kind import label_options, labels
from stacks.providers.local.machine import Limits
from stacks.providers.local.wire import Properties

NEVER_READY = "never-ready"
RUNNING = "running"
STOPPED = "stopped"

CAPABILITIES = ("NET_ADMIN", "AUDIT_WRITE")
"""nftables inside wants the first; sudo and sshd speak to the audit system."""


@dataclass(frozen=True)
class Blueprint:
    """The choices made for one incarnation of a server; all of them stay for its life."""

    container: str
    incarnation: str
    address: str
    ssh_port: int
    published: Mapping[str, int]
    host_key: str

    def marks(self) -> dict[str, str]:
        """The choices as labels, so that the container alone tells all of them."""
        return {
            "steward.incarnation": self.incarnation,
            "steward.address": self.address,
            "steward.ssh-port": str(self.ssh_port),
            "steward.published": json.dumps(self.published),
            "steward.host-key": self.host_key,
        }

    def outputs(self, inputs: Properties, state: str, limits: Limits) -> Properties:
        """All properties of the resource."""
        return {
            **inputs,
            "containerId": self.container,
            "incarnation": self.incarnation,
            "address": self.address,
            "sshHost": "127.0.0.1",
            "sshPort": self.ssh_port,
            "sshUser": "steward",
            "hostKey": self.host_key,
            "published": dict(self.published),
            "state": state,
            "limitsEnforced": limits.cgroups,
        }


def from_labels(container: str, marks: Mapping[str, str]) -> Blueprint | None:
    """The choices a container was made with, or None for a container that is not ours."""
    try:
        published = json.loads(marks["steward.published"])
        return Blueprint(
            container=container,
            incarnation=marks["steward.incarnation"],
            address=marks["steward.address"],
            ssh_port=int(marks["steward.ssh-port"]),
            published={str(key): int(value) for key, value in published.items()},
            host_key=marks["steward.host-key"],
        )
    except (KeyError, ValueError, AttributeError):
        return None


def limit_options(inputs: Properties, limits: Limits) -> tuple[str, ...]:
    """Processor and memory limits as Podman options, none where the machine cannot enforce them."""
    if not limits.cgroups:
        return ()
    memory = int(float(inputs["memoryGib"]) * 1024)
    return ("--cpus", f"{float(inputs['cpus']):g}", "--memory", f"{memory}m")


def create_arguments(
    plan: Blueprint, inputs: Properties, *, urn: str, image: str, runtime: str, limits: Limits
) -> list[str]:
    """`podman create` for this server, without the program's name."""
    ports = {"22": plan.ssh_port, **plan.published}
    marks = {
        "steward.server": str(inputs["name"]),
        "steward.network": str(inputs["networkId"]),
        **plan.marks(),
    }
    arguments = [f"--runtime={runtime}"] if runtime else []
    arguments += ["create", "--name", plan.container, "--hostname", str(inputs["name"]), "--systemd=always"]
    arguments += [word for capability in CAPABILITIES for word in ("--cap-add", capability)]
    arguments += ["--ulimit", f"nofile={limits.open_files}:{limits.open_files}"]
    arguments += ["--ulimit", f"nproc={limits.processes}:{limits.processes}"]
    arguments += limit_options(inputs, limits)
    place = ["--ip", plan.address, "--mac-address", hardware_address(plan.address)]
    arguments += ["--network", str(inputs["networkId"]), *place]
    arguments += ["--network-alias", str(inputs["name"])]
    arguments += [word for port, host in ports.items() for word in ("--publish", f"127.0.0.1:{host}:{port}")]
    for volume in inputs.get("volumes") or []:
        arguments += ["--volume", f"{volume['volumeId']}:{volume['mount']}"]
    arguments += label_options(labels("server", urn, inputs, marks))
    return [*arguments, image, "/sbin/init"]
