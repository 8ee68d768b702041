"""What can be seen to be wrong with a server before anything is made."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from stacks.providers.local import addresses
from stacks.providers.local.errors import LocalError
from stacks.providers.local.kind import is_own, stack_id_of
from stacks.providers.local.machine import Machine
from stacks.providers.local.ports import PortClaim, taken_port
from stacks.providers.local.shapes import Failure
from stacks.providers.local.wire import UNKNOWN, Properties

_MOUNT = re.compile(r"(/[A-Za-z0-9._@-]+)+")


def value_failures(inputs: Properties) -> list[Failure]:
    """Values that no machine could make true."""
    found = [
        Failure(key, f"must be above 0, got {inputs[key]}.")
        for key in ("cpus", "memoryGib")
        if isinstance(inputs.get(key), int | float) and inputs[key] <= 0
    ]
    for index, key in enumerate(_listed(inputs, "authorizedKeys")):
        if "\n" in key or "PRIVATE" in key or not key.strip():
            found.append(Failure(f"authorizedKeys[{index}]", "must be one public key on one line."))
    for index, volume in enumerate(_listed(inputs, "volumes")):
        mount = volume["mount"]
        if mount != UNKNOWN and (not _MOUNT.fullmatch(mount) or posixpath.normpath(mount) != mount):
            found.append(Failure(f"volumes[{index}].mount", f"must be an absolute path, got {mount!r}."))
    return found + _address_failures(inputs)


def _listed(inputs: Properties, key: str) -> list[Any]:
    """The known items of a list that may itself be missing or not known yet."""
    value = inputs.get(key)
    return [item for item in value if item != UNKNOWN] if isinstance(value, list) else []


def _address_failures(inputs: Properties) -> list[Failure]:
    cidr, address = inputs["cidr"], inputs.get("address")
    if cidr == UNKNOWN:
        return []
    problem = addresses.cidr_problem(cidr)
    if problem:
        return [Failure("cidr", problem)]
    if not address or address == UNKNOWN:
        return []
    problem = addresses.address_problem(address, cidr)
    return [Failure("address", problem)] if problem else []


def machine_failures(machine: Machine, urn: str, inputs: Properties) -> list[Failure]:
    """What this machine lacks for one more server: the base image, inotify instances."""
    found = []
    image = inputs["image"]
    if image != UNKNOWN:
        try:
            machine.image(str(inputs["name"]), image)
        except LocalError as error:
            found.append(Failure("image", f"{error.message}. {error.next_step}"))
    machine.claim(waiting_for(urn), urn)
    waiting = sum(key.startswith(waiting_for("")) for key in list(machine.claims))
    problem = machine.inotify_problem(waiting)
    if problem:
        found.append(Failure("name", problem))
    return found


def port_failures(machine: Machine, urn: str, inputs: Properties, olds: Properties | None) -> list[Failure]:
    """Host ports that are asked for by number: out of range, asked for twice, or taken already."""
    before = {item.get("hostPort") for item in (olds or {}).get("publish") or []}
    found = []
    for index, item in enumerate(_listed(inputs, "publish")):
        for key in ("port", "hostPort"):
            value = item.get(key)
            if isinstance(value, int) and not 1 <= value <= 65535:
                found.append(Failure(f"publish[{index}].{key}", f"must be from 1 to 65535, got {value}."))
        port = item.get("hostPort")
        if found or not isinstance(port, int):
            continue
        if machine.claim(f"host-port {port}", urn) or (
            port not in before and not _free(machine, urn, inputs, port)
        ):
            refusal = taken_port(str(inputs["name"]), port)
            text = f"{refusal.message}. {refusal.next_step}"
            found.append(Failure(f"publish[{index}].hostPort", text))
    return found


def waiting_for(urn: str) -> str:
    """The claim of a server that was checked and is not made yet: it will take inotify instances."""
    return f"new-server {urn}"


def _free(machine: Machine, urn: str, inputs: Properties, port: int) -> bool:
    holders = [one for one in machine.view().containers if port in one.host_ports]
    if holders:
        # Our own server may hold it: an interrupted run left it, and create will take it over.
        return all(is_own(one.labels, urn, stack_id_of(inputs)) for one in holders)
    try:
        PortClaim(port).release()
    except OSError:
        return False
    return True
