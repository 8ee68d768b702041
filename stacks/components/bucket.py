"""Bucket: object storage of a fleet; protected as soon as it bears data."""

from __future__ import annotations

import pulumi

from stacks.fleet.storage import Bucket as BucketSpec
from stacks.providers.base import Provider, Tags


class Bucket(pulumi.ComponentResource):
    """A bucket as the fleet names it, and the vendor's resource behind it."""

    def __init__(
        self,
        name: str,
        spec: BucketSpec,
        *,
        provider: Provider,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"versioning": spec.versioning, "dataBearing": spec.bears_data, "tags": tags}
        super().__init__("steward:index:Bucket", name, inputs, opts)
        child = pulumi.ResourceOptions(parent=self, protect=spec.bears_data)
        provider.bucket(name, versioning=spec.versioning, bears_data=spec.bears_data, tags=tags, opts=child)
        self.register_outputs({})
