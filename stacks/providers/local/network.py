"""`local:index:Network`: a Podman bridge network with a subnet of its own."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from typing import ClassVar

from stacks.fleet.overlap import in_the_way
from stacks.providers.local import addresses, sources
from stacks.providers.local.diffs import DiffRules
from stacks.providers.local.errors import LocalError
from stacks.providers.local.kind import (
    Call,
    Found,
    Made,
    inputs_of,
    is_own,
    label_options,
    labels,
    leftover,
    name_failure,
    object_name,
    stack_id_of,
)
from stacks.providers.local.machine import VIEW_SECONDS, Machine
from stacks.providers.local.podman import execute, what_it_said
from stacks.providers.local.records import NetworkRecord
from stacks.providers.local.shapes import TAGS, Failure, Field
from stacks.providers.local.wire import UNKNOWN, Properties, has_unknown


class Network:
    """A bridge; the control machine is its gateway, the first host."""

    pulumi_type: ClassVar[str] = "local:index:Network"
    fields: ClassVar[Mapping[str, Field]] = {"name": Field("string"), "cidr": Field("string"), "tags": TAGS}
    outputs: ClassVar[Mapping[str, Field]] = {"networkId": Field("string"), "gateway": Field("string")}
    rules: ClassVar[DiffRules] = DiffRules(
        replace={
            "name": "a network is found by the name it was made with",
            "cidr": "a bridge keeps the range it was made with",
        }
    )
    delete_first: ClassVar[bool] = True  # two networks cannot have one subnet at the same time

    def check(self, machine: Machine, urn: str, inputs: Properties, olds: Properties | None) -> list[Failure]:
        """A usable subnet that nothing else on this machine has."""
        failures = name_failure(inputs)
        cidr = inputs.get("cidr")
        if not isinstance(cidr, str) or cidr == UNKNOWN:
            return failures
        problem = addresses.cidr_problem(cidr)
        if problem:
            return [*failures, Failure("cidr", problem)]
        if olds is None or olds.get("cidr") != cidr:
            failures.extend(self._taken(machine, urn, inputs))
        return failures

    def _taken(self, machine: Machine, urn: str, inputs: Properties) -> list[Failure]:
        """Whose network is in the way; what an interrupted run of this very resource left is not."""
        view = machine.view()
        stack_id = stack_id_of(inputs)
        own = {record.name for record in view.networks if is_own(record.labels, urn, stack_id)}
        clash = in_the_way(IPv4Network(inputs["cidr"]), view.subnets(own))
        if clash is None:
            return []
        reason = f"{inputs['cidr']} overlaps {clash[1]} of {clash[0]} on this machine. Choose another cidr."
        return [Failure("cidr", reason)]

    def preview(self, inputs: Properties, olds: Properties) -> Properties:
        """The gateway follows from the cidr; the network's name has a random end."""
        if olds:
            return {}
        cidr = inputs.get("cidr")
        known = isinstance(cidr, str) and not has_unknown(cidr)
        return {"networkId": UNKNOWN, "gateway": addresses.gateway_of(str(cidr)) if known else UNKNOWN}

    def create(self, machine: Machine, call: Call, inputs: Properties) -> Made:
        """Make the bridge and keep source addresses true between it and the other Steward networks."""
        subject = str(inputs["name"])
        machine.go_on(subject)
        gateway = addresses.gateway_of(inputs["cidr"])
        # What a killed run left has been there for longer than that, and what this run removed is forgotten.
        seen = machine.networks.since(call.begun - VIEW_SECONDS)
        found = leftover(self, "network", call.urn, inputs, seen)
        name = found.name if found else object_name(inputs)
        if found is None:
            self._make(machine, call, inputs, name, gateway)
        sources.extend(machine, call.urn, IPv4Network(inputs["cidr"]))
        return Made(name, {**inputs, "networkId": name, "gateway": gateway})

    def _make(self, machine: Machine, call: Call, inputs: Properties, name: str, gateway: str) -> None:
        marks = labels("network", call.urn, inputs)
        ended = machine.podman.attempt(
            "network", "create", "--subnet", inputs["cidr"], "--gateway", gateway, *label_options(marks), name
        )
        if ended.code != 0:
            raise LocalError(
                str(inputs["name"]),
                f"Podman cannot make a network on {inputs['cidr']}",
                place="cidr",
                got=what_it_said(ended.stderr),
                next_step="Choose a cidr that no other network, interface or route of this machine uses.",
            )
        machine.networks.add(NetworkRecord(name, "", marks, (IPv4Network(inputs["cidr"]),)))

    def read(self, machine: Machine, identity: str, olds: Properties, inputs: Properties) -> Found | None:
        """The bridge's real subnet."""
        record = next((one for one in machine.podman.networks() if one.name == identity), None)
        if record is None or not record.subnets:
            return None
        cidr = str(record.subnets[0])
        known = {"name": identity, "tags": {}, **inputs_of(record.labels), **inputs, "cidr": cidr}
        return Found({**known, "networkId": identity, "gateway": addresses.gateway_of(cidr)}, known)

    def update(
        self, machine: Machine, call: Call, identity: str, olds: Properties, news: Properties
    ) -> Properties:
        """Only tags change in place; they live in the state."""
        sources.keep(machine, call.urn)
        return {**news, "networkId": identity, "gateway": addresses.gateway_of(news["cidr"])}

    def delete(self, machine: Machine, call: Call, identity: str, olds: Properties) -> None:
        """Remove the bridge, never with containers still on it."""
        machine.go_on(str(olds.get("name", identity)))
        record = next((one for one in machine.networks.since(call.begun) if one.name == identity), None)
        machine.podman.remove("network", identity, str(olds.get("name", identity)))
        machine.networks.forget()
        if record is not None:
            _remove_bridge(machine, record)
        sources.keep(machine, call.urn)


def _remove_bridge(machine: Machine, gone: NetworkRecord) -> None:
    """Podman takes its bridge down with the last container, not after a `podman start` that was killed; the
    route that it leaves would refuse the same range for ever. Only a bridge with that very range is removed.
    """
    stays = (Path("/sys/class/net") / gone.interface / "bridge").is_dir()
    if not stays or os.geteuid() != 0 or shutil.which("ip") is None:
        return
    if any(one.interface == gone.interface for one in machine.networks.now()):
        return
    shown = execute(("ip", "-j", "-4", "address", "show", "dev", gone.interface), timeout=10.0)
    if shown.code != 0:
        return
    addresses_of = [found for one in json.loads(shown.stdout) for found in one["addr_info"]]
    held = {IPv4Interface(f"{found['local']}/{found['prefixlen']}").network for found in addresses_of}
    if held and held <= set(gone.subnets):
        execute(("ip", "link", "delete", gone.interface), timeout=10.0)
