"""Volumes that servers mount and buckets that stand alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from stacks.fleet.units import Flag, Path, Spec, Whole

_SYSTEM = frozenset({"bin", "boot", "etc", "lib", "lib64", "root", "sbin", "tmp", "usr", "var"})
_NEVER_A_DISK = frozenset({"dev", "proc", "run", "sys"})


def _mountable(path: str) -> str:
    """Refuse folders that the system itself lives in: an empty disk there would hide it."""
    first, *rest = path.split("/")[1:]
    if first in _NEVER_A_DISK or (first in _SYSTEM and not rest):
        raise ValueError(
            "the operating system lives there; choose a folder such as /srv/data or /var/lib/postgresql"
        )
    return path


class Volume(Spec):
    """A disk of one server. Unless it is disposable it bears data, and data needs a backup."""

    size_gib: Whole = Field(ge=1, le=65_536, description="GiB.")
    mount: Annotated[Path, AfterValidator(_mountable)]
    disposable: Flag = Field(
        False, description="True: losing it costs nothing, so no backup plan must cover it."
    )

    @property
    def bears_data(self) -> bool:
        """Whether losing the volume would lose something."""
        return not self.disposable


class Bucket(Spec):
    """Object storage."""

    versioning: Flag = Field(True, description="Keep earlier versions of an object.")
    disposable: Flag = Field(False, description="True: losing it costs nothing.")

    @property
    def bears_data(self) -> bool:
        """Whether losing the bucket would lose something."""
        return not self.disposable
