"""`local:index:Identity`: an id made once and kept for ever, for things whose names may be used again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import ClassVar

from stacks.providers.local.diffs import DiffRules
from stacks.providers.local.errors import LocalError
from stacks.providers.local.kind import Call, Found, Made
from stacks.providers.local.machine import Machine
from stacks.providers.local.shapes import TAGS, Failure, Field
from stacks.providers.local.wire import UNKNOWN, Properties

_IDENTITY = re.compile(r"[0-9a-f]{32}")


class Identity:
    """Lives in the state only."""

    pulumi_type: ClassVar[str] = "local:index:Identity"
    fields: ClassVar[Mapping[str, Field]] = {"kind": Field("string"), "name": Field("string"), "tags": TAGS}
    outputs: ClassVar[Mapping[str, Field]] = {"identity": Field("string")}
    rules: ClassVar[DiffRules] = DiffRules(
        replace={"kind": "an id stands for one thing for ever, and this is another thing"}
    )
    delete_first: ClassVar[bool] = False

    def check(self, machine: Machine, urn: str, inputs: Properties, olds: Properties | None) -> list[Failure]:
        """Nothing beyond the shape."""
        return []

    def preview(self, inputs: Properties, olds: Properties) -> Properties:
        """The id is drawn at create."""
        return {} if olds else {"identity": UNKNOWN}

    def create(self, machine: Machine, call: Call, inputs: Properties) -> Made:
        """Draw 128 random bits."""
        identity = secrets.token_hex(16)
        return Made(identity, {**inputs, "identity": identity})

    def read(self, machine: Machine, identity: str, olds: Properties, inputs: Properties) -> Found | None:
        """The state is the truth; an import brings its own 32 hex digits."""
        if not _IDENTITY.fullmatch(identity):
            raise LocalError(identity, "an identity is 32 hex digits", place="id")
        return Found({**olds, "identity": identity}, inputs)

    def update(
        self, machine: Machine, call: Call, identity: str, olds: Properties, news: Properties
    ) -> Properties:
        """Name and tags change, the identity does not."""
        return {**news, "identity": identity}

    def delete(self, machine: Machine, call: Call, identity: str, olds: Properties) -> None:
        """Nothing exists outside the state."""
