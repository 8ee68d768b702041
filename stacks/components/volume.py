"""Volume: one disk of one server; protected as soon as it bears data."""

from __future__ import annotations

import pulumi

from stacks.fleet.storage import Volume as VolumeSpec
from stacks.providers.base import MountedVolume, Provider, Tags


class Volume(pulumi.ComponentResource):
    """A disk that outlives the server it belongs to."""

    mounted: MountedVolume

    def __init__(
        self,
        server: str,
        name: str,
        spec: VolumeSpec,
        *,
        provider: Provider,
        tags: Tags,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        label = f"{server}-{name}"
        inputs = {"sizeGib": spec.size_gib, "mount": spec.mount, "dataBearing": spec.bears_data, "tags": tags}
        super().__init__("steward:index:Volume", label, inputs, opts)
        child = pulumi.ResourceOptions(parent=self, protect=spec.bears_data)
        made = provider.volume(
            label, size_gib=spec.size_gib, bears_data=spec.bears_data, tags=tags, opts=child
        )
        self.mounted = MountedVolume(name, made.volume_id, spec.mount, spec.bears_data)
        self.register_outputs({"volumeId": made.volume_id})
