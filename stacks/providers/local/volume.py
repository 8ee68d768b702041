"""`local:index:Volume`: a named Podman volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from stacks.providers.local.diffs import DiffRules
from stacks.providers.local.kind import (
    Call,
    Found,
    Made,
    inputs_of,
    label_options,
    labels,
    leftover,
    name_failure,
    object_name,
)
from stacks.providers.local.machine import Machine
from stacks.providers.local.shapes import TAGS, Failure, Field
from stacks.providers.local.wire import UNKNOWN, Properties


class Volume:
    """A folder in Podman's storage; its size is a plan, not a limit."""

    pulumi_type: ClassVar[str] = "local:index:Volume"
    fields: ClassVar[Mapping[str, Field]] = {
        "name": Field("string"),
        "sizeGib": Field("number"),
        "dataBearing": Field("boolean", required=False),
        "tags": TAGS,
    }
    outputs: ClassVar[Mapping[str, Field]] = {"volumeId": Field("string")}
    rules: ClassVar[DiffRules] = DiffRules(replace={"name": "a volume is found by the name it was made with"})
    delete_first: ClassVar[bool] = False

    def check(self, machine: Machine, urn: str, inputs: Properties, olds: Properties | None) -> list[Failure]:
        """A usable name and a size above nothing."""
        failures = name_failure(inputs)
        size = inputs.get("sizeGib")
        if isinstance(size, int | float) and size <= 0:
            failures.append(Failure("sizeGib", f"must be above 0, got {size}."))
        return failures

    def preview(self, inputs: Properties, olds: Properties) -> Properties:
        """The volume's name has a random end."""
        return {} if olds else {"volumeId": UNKNOWN}

    def create(self, machine: Machine, call: Call, inputs: Properties) -> Made:
        """Make the volume, or take over the one an interrupted run left."""
        subject = str(inputs["name"])
        machine.go_on(subject)
        machine.note(
            "local: the size of volumes is not enforced by Podman's storage on this machine.", call.urn
        )
        found = leftover(self, "volume", call.urn, inputs, machine.volumes.since(call.begun))
        name = found.name if found else object_name(inputs)
        if found is None:
            marks = label_options(labels("volume", call.urn, inputs))
            machine.podman.call("volume", "create", *marks, name, subject=subject)
        return Made(name, {**inputs, "volumeId": name})

    def read(self, machine: Machine, identity: str, olds: Properties, inputs: Properties) -> Found | None:
        """Whether the volume is still there."""
        record = next((one for one in machine.podman.volumes() if one.name == identity), None)
        if record is None:
            return None
        known = {"name": identity, "sizeGib": 1, **inputs_of(record.labels), **inputs}
        return Found({**known, "volumeId": identity}, known)

    def update(
        self, machine: Machine, call: Call, identity: str, olds: Properties, news: Properties
    ) -> Properties:
        """Size, tags and what the volume bears are facts of the state on this provider."""
        return {**news, "volumeId": identity}

    def delete(self, machine: Machine, call: Call, identity: str, olds: Properties) -> None:
        """Remove the volume and all that is in it; protection is the program's."""
        machine.go_on(str(olds.get("name", identity)))
        machine.podman.remove("volume", identity, str(olds.get("name", identity)))
