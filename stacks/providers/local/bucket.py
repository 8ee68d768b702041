"""`local:index:Bucket`: a folder that stands in for an object store, and says so."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from stacks.providers.local.diffs import DiffRules
from stacks.providers.local.errors import LocalError
from stacks.providers.local.kind import (
    Call,
    Found,
    Made,
    inputs_of,
    labels,
    leftover,
    name_failure,
    object_name,
)
from stacks.providers.local.machine import Machine
from stacks.providers.local.shapes import TAGS, Failure, Field
from stacks.providers.local.wire import UNKNOWN, Properties


class _Marked:
    """A folder seen as a labelled object."""

    def __init__(self, card: Path) -> None:
        self.name = card.stem
        self.labels: dict[str, str] = json.loads(card.read_text())


class Bucket:
    """A folder under STEWARD_HOME; its card beside it records whose it is."""

    pulumi_type: ClassVar[str] = "local:index:Bucket"
    fields: ClassVar[Mapping[str, Field]] = {
        "name": Field("string"),
        "versioning": Field("boolean", required=False),
        "dataBearing": Field("boolean", required=False),
        "tags": TAGS,
    }
    outputs: ClassVar[Mapping[str, Field]] = {"bucketId": Field("string"), "endpoint": Field("string")}
    rules: ClassVar[DiffRules] = DiffRules(replace={"name": "a bucket is found by the name it was made with"})
    delete_first: ClassVar[bool] = False

    def check(self, machine: Machine, urn: str, inputs: Properties, olds: Properties | None) -> list[Failure]:
        """A usable name."""
        return name_failure(inputs)

    def preview(self, inputs: Properties, olds: Properties) -> Properties:
        """The folder's name has a random end."""
        return {} if olds else {"bucketId": UNKNOWN, "endpoint": UNKNOWN}

    def create(self, machine: Machine, call: Call, inputs: Properties) -> Made:
        """Make the folder, or take over the one an interrupted run left."""
        machine.go_on(str(inputs["name"]))
        machine.note(
            "local: a bucket is a plain folder here: no versioning, no object lock, no network.", call.urn
        )
        cards = [_Marked(card) for card in sorted(_root().glob("*.json"))]
        found = leftover(self, "bucket", call.urn, inputs, cards)
        name = found.name if found else object_name(inputs)
        folder = _root() / name
        try:
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The card first: a run killed between the two then leaves something to go on from.
            folder.with_suffix(".json").write_text(json.dumps(labels("bucket", call.urn, inputs)))
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise LocalError(str(inputs["name"]), f"cannot make {folder}: {error}", place="bucket") from error
        return Made(name, {**inputs, "bucketId": name, "endpoint": folder.as_uri()})

    def read(self, machine: Machine, identity: str, olds: Properties, inputs: Properties) -> Found | None:
        """Whether the folder is still there."""
        folder = _root() / identity
        card = folder.with_suffix(".json")
        if not folder.is_dir():
            return None
        recorded = inputs_of(_Marked(card).labels) if card.is_file() else {}
        known = {"name": identity, **recorded, **inputs}
        return Found({**known, "bucketId": identity, "endpoint": folder.as_uri()}, known)

    def update(
        self, machine: Machine, call: Call, identity: str, olds: Properties, news: Properties
    ) -> Properties:
        """Nothing of the folder changes."""
        return {**news, "bucketId": identity, "endpoint": (_root() / identity).as_uri()}

    def delete(self, machine: Machine, call: Call, identity: str, olds: Properties) -> None:
        """Remove the folder and all that is in it; protection is the program's."""
        machine.go_on(str(olds.get("name", identity)))
        folder = _root() / identity
        try:
            if folder.is_dir():
                shutil.rmtree(folder)
            folder.with_suffix(".json").unlink(missing_ok=True)
        except OSError as error:
            raise LocalError(identity, f"cannot remove {folder}: {error}", place="bucket") from error


def _root() -> Path:
    """The folder of all buckets, in Steward's state folder."""
    home = os.environ.get("STEWARD_HOME")
    base = (
        Path(home)
        if home
        else Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "steward"
    )
    return base.absolute() / "local" / "buckets"
