"""What every resource of the local provider offers, and what they share: names, labels, adoption."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

from stacks.providers.local.diffs import DiffRules, compare
from stacks.providers.local.errors import LocalError
from stacks.providers.local.machine import Machine
from stacks.providers.local.shapes import Failure, Field
from stacks.providers.local.wire import Properties

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}(/edge)?")
"""Ids come from state files and from people who import: nothing else reaches a command line."""


@dataclass(frozen=True)
class Call:
    """The circumstances of one request: which resource, since when and until when (monotonic seconds)."""

    urn: str
    deadline: float
    begun: float

    def seconds_left(self) -> float:
        """Time left until the deadline, never negative."""
        return max(0.0, self.deadline - time.monotonic())


@dataclass(frozen=True)
class Made:
    """A resource that exists: its id and all its properties."""

    identity: str
    properties: Properties


@dataclass(frozen=True)
class Found:
    """A resource as it is now: properties, and the inputs that would make it again."""

    properties: Properties
    inputs: Properties


class Kind(Protocol):
    """One resource type; every method raises LocalError, create, update and read also InitFailedError."""

    pulumi_type: ClassVar[str]
    fields: ClassVar[Mapping[str, Field]]
    outputs: ClassVar[Mapping[str, Field]]
    rules: ClassVar[DiffRules]
    delete_first: ClassVar[bool]
    """A replacement deletes the old one before it makes the new one."""

    def check(self, machine: Machine, urn: str, inputs: Properties, olds: Properties | None) -> list[Failure]:
        """What is wrong beyond the shape; `olds` (old inputs) is None for a new resource."""

    def preview(self, inputs: Properties, olds: Properties) -> Properties:
        """The outputs a preview knows or knows to be uncertain; with `olds`, those an update may change."""

    def create(self, machine: Machine, call: Call, inputs: Properties) -> Made:
        """Make it, or take over what an interrupted run of the same resource left."""

    def read(self, machine: Machine, identity: str, olds: Properties, inputs: Properties) -> Found | None:
        """The live truth, or None when it is gone; empty `olds` means an import."""

    def update(
        self, machine: Machine, call: Call, identity: str, olds: Properties, news: Properties
    ) -> Properties:
        """Change in place and mend what is half made."""

    def delete(self, machine: Machine, call: Call, identity: str, olds: Properties) -> None:
        """Remove it; what is gone already is fine."""


class Labelled(Protocol):
    """Anything of Podman's that carries labels."""

    @property
    def name(self) -> str:
        """Podman's name of it."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""


T = TypeVar("T", bound=Labelled)


def name_failure(inputs: Properties) -> list[Failure]:
    """A name becomes part of container names, unit files and host names."""
    name = str(inputs.get("name", ""))
    if NAME.fullmatch(name):
        return []
    return [Failure("name", f"must be small letters, digits and '-', at most 63, got {name!r}.")]


def object_name(inputs: Properties) -> str:
    """A name for a Podman object; its random end keeps two fleets or two users from ever meeting."""
    stack = str(inputs.get("tags", {}).get("stack", ""))
    words = re.sub(r"[^a-z0-9]+", "-", f"{stack}-{inputs['name']}".lower()).strip("-")
    return f"steward-{words[:40].rstrip('-')}-{secrets.token_hex(4)}"


def labels(kind: str, urn: str, inputs: Properties, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Who a Podman object belongs to, and enough to import it or to go on after an interrupted run."""
    tags = inputs.get("tags") or {}
    return {
        "steward.kind": kind,
        "steward.client": str(tags.get("client", "")),
        "steward.stack": str(tags.get("stack", "")),
        "steward.stack-id": str(tags.get("stackId", "")),
        "steward.urn": urn,
        # Base64, because `podman volume create --label` takes commas and quotes for its own.
        "steward.inputs": base64.b64encode(json.dumps(inputs, sort_keys=True).encode()).decode(),
        **(more or {}),
    }


def label_options(marks: Mapping[str, str]) -> list[str]:
    """The labels as Podman options."""
    return [word for key, value in marks.items() for word in ("--label", f"{key}={value}")]


def inputs_of(marks: Mapping[str, str]) -> Properties:
    """The inputs recorded in the labels, or nothing for an object that is not ours."""
    try:
        inputs = json.loads(base64.b64decode(marks.get("steward.inputs", "")) or "{}")
    except ValueError:
        return {}
    return inputs if isinstance(inputs, dict) else {}


def stack_id_of(inputs: Properties) -> str:
    """The stack's id: two installations may give two stacks one name, and so one URN."""
    tags = inputs.get("tags")
    return str(tags.get("stackId", "")) if isinstance(tags, dict) else ""


def is_own(marks: Mapping[str, str], urn: str, stack_id: str) -> bool:
    """Whether an object with these labels was made for this resource of this stack."""
    return marks.get("steward.urn") == urn and marks.get("steward.stack-id") == stack_id


def leftover(kind: Kind, what: str, urn: str, inputs: Properties, existing: Iterable[T]) -> T | None:
    """What a killed run made for this resource and never recorded; LocalError when it does not fit."""
    for record in existing:
        if record.labels.get("steward.kind") != what or not is_own(record.labels, urn, stack_id_of(inputs)):
            continue
        changes = compare(inputs_of(record.labels), {}, inputs, kind.rules)
        differing = [key for key, change in changes.items() if change.replace]
        if not differing:
            return record
        raise LocalError(
            str(inputs.get("name")),
            f"{record.name}, left by an interrupted run, differs in {', '.join(differing)}",
            place="podman",
            next_step=f"`pulumi import {kind.pulumi_type} NAME {record.name}`, or remove it with Podman.",
        )
    return None
