"""What `look.py` saw on a failed host, as a model: hostile input, so bounded in every length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

Short = Annotated[str, StringConstraints(max_length=300)]


class _Seen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Disk(_Seen):
    """One file system; sizes in bytes."""

    mount: Short
    total: int = Field(ge=0)
    free: int = Field(ge=0)
    inodes_left: int | None = None
    read_only: bool = False

    @property
    def full(self) -> bool:
        """Nothing to speak of can be written: under one per mille and under 16 MiB, or no inode."""
        few = self.free * 1000 < self.total and self.free < 16 << 20
        return few or self.free == 0 or self.inodes_left == 0


class Lock(_Seen):
    """A process that holds a lock of the package system; it began `seconds` ago."""

    path: Short
    pid: int
    program: Short
    seconds: float = 0.0


class Unit(_Seen):
    """A systemd unit that failed, or starts again and again."""

    name: Short
    result: Short = ""
    status: int = 0
    restarts: int = 0
    last: Annotated[Sequence[Short], Field(max_length=20)] = ()


class Mirror(_Seen):
    """A package mirror, and why no connection to it came about ('' when one did)."""

    host: Short
    port: int
    problem: Short = ""


class Sight(_Seen):
    """Everything that was seen; empty parts are things that are well, or could not be seen."""

    schema_: Literal["steward.host-sight/1"] = Field("steward.host-sight/1", alias="schema")
    disks: Annotated[Sequence[Disk], Field(max_length=40)] = ()
    locks: Annotated[Sequence[Lock], Field(max_length=40)] = ()
    half_installed: Annotated[Sequence[Short], Field(max_length=40)] = ()
    units: Annotated[Sequence[Unit], Field(max_length=40)] = ()
    mirrors: Annotated[Sequence[Mirror], Field(max_length=10)] = ()


def read_sight(text: str) -> Sight:
    """The document a host printed; one that is not as it should be counts as nothing seen."""
    try:
        return Sight.model_validate_json(text[:100_000])
    except ValidationError:
        return Sight()
