"""Volumes that servers mount and buckets that stand alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from stacks.fleet.units import Flag, Path, Spec, Whole, no_parent_steps


class Volume(Spec):
    """A disk of one server. Unless it is disposable it bears data, and data needs a backup."""

    size_gib: Whole = Field(ge=1, le=65_536)
    mount: Annotated[Path, AfterValidator(no_parent_steps)]
    disposable: Flag = Field(False, description="True: losing it costs nothing, so no backup plan must cover it.")

    @property
    def bears_data(self) -> bool:
        """Whether losing the volume would lose something."""
        return not self.disposable


class Bucket(Spec):
    """Object storage."""

    versioning: Flag = True
    disposable: Flag = False

    @property
    def bears_data(self) -> bool:
        """Whether losing the bucket would lose something."""
        return not self.disposable
