"""Instances of Amazon and what belongs to them, in neutral words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.facts import Unknown
from policies.subjects.aws_words import ELSEWHERE, Inputs, or_else, records, tag, tags_of, when_known, within

_MEMORY_PER_CPU: Final = {"c": 2, "m": 4, "r": 8, "x": 16}
_CPUS: Final = {"medium": 1, "large": 2, "xlarge": 4}
_BURSTING: Final[Mapping[str, tuple[float, float]]] = {
    "nano": (2, 0.5),
    "micro": (2, 1),
    "small": (2, 2),
    "medium": (2, 4),
    "large": (2, 8),
    "xlarge": (4, 16),
    "2xlarge": (8, 32),
}
"""CPUs and GiB of memory of t3, t3a and t4g, by size."""


def server(inputs: Inputs) -> dict[str, object]:
    """An instance; volumes and keys that are resources of their own are put in later."""
    cpus, memory = _size(inputs.get("instanceType"))
    view: dict[str, object] = {
        "image": inputs.get("ami"),
        "cpus": cpus,
        "memoryGib": memory,
        "volumes": [],
        "authorizedKeys": _keys(inputs.get("keyName")),
        "keyName": inputs.get("keyName"),
        "publicAddress": or_else(inputs.get("associatePublicIpAddress"), ELSEWHERE),
        "metadataTokens": or_else(within(inputs, "metadataOptions", "httpTokens"), "optional"),
        "diskEncrypted": _disks_encrypted(inputs),
        "terminationProtection": or_else(inputs.get("disableApiTermination"), default=False),
    }
    return view | _by_tags(inputs)


def key_pair(inputs: Inputs) -> dict[str, object]:
    """A public key that instances name."""
    return {"keyName": inputs.get("keyName"), "publicKey": inputs.get("publicKey")}


def attachment(inputs: Inputs) -> dict[str, object]:
    """Which volume is in which server."""
    return {key: inputs.get(key) for key in ("deviceName", "instanceId", "volumeId")}


def _by_tags(inputs: Inputs) -> dict[str, object]:
    """What Amazon has no word for and a fleet's tags tell: group, and roles with blanks between them."""
    tags = tags_of(inputs)
    if isinstance(tags, Unknown):
        return {"group": tags, "roles": tags}
    roles = when_known(tags.get("roles"), lambda told: told.split() if isinstance(told, str) else None)
    told = {"group": tags.get("group"), "roles": roles, "mount": tag(inputs, "mount")}
    return {key: found for key, found in told.items() if found is not None}


def _keys(name: Any) -> object:
    return [] if name is None else Unknown("the key pair is no resource of this stack")


def _disks_encrypted(inputs: Inputs) -> object:
    """Whether each disk that is made with the instance says it is encrypted."""
    disks = [within(inputs, "rootBlockDevice", "encrypted")]
    disks += [within(disk, "encrypted") for disk in records(inputs, "ebsBlockDevices")]
    if any(said is False for said in disks):
        return False
    gaps = [said for said in disks if isinstance(said, Unknown)]
    if gaps:
        return gaps[0]
    return True if all(disks) else Unknown("not said here, so a setting of the account decides")


def _size(kind: Any) -> tuple[object, object]:
    """CPUs and GiB of memory by the name of the type, for the families that are regular."""
    if isinstance(kind, Unknown):
        return kind, kind
    family, _, size = str(kind).partition(".")
    if family in ("t3", "t3a", "t4g") and size in _BURSTING:
        return _BURSTING[size]
    per_cpu = _MEMORY_PER_CPU.get(family[:1]) if len(family) in (2, 3, 4) else None
    times = size.removesuffix("xlarge")
    cpus = 4 * int(times) if size != times and times.isdigit() else _CPUS.get(size)
    if per_cpu is None or cpus is None:
        gap = Unknown(f"no size is known for the instance type {kind}")
        return gap, gap
    return cpus, cpus * per_cpu
