"""Identity: an immutable id for something whose name may be used again."""

from __future__ import annotations

import pulumi

from stacks.providers.base import Provider, Tags


class Identity(pulumi.ComponentResource):
    """Makes an id once; a later holder of the same name gets another one."""

    identity: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        kind: str,
        provider: Provider,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("steward:index:Identity", name, {"kind": kind, "tags": tags}, opts)
        made = provider.identity(name, kind=kind, tags=tags, opts=pulumi.ResourceOptions(parent=self))
        self.identity = made.identity
        self.register_outputs({"identity": self.identity})
