"""One line of the doctor's report."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

SET_UP = "steward setup"


class Part(BaseModel):
    """A part is fine when `problem` is empty; `found` may be false for one that is not needed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    found: bool
    version: str = ""
    where: str = ""
    problem: str = ""
    mend: str = ""
    """Command to type, or what to do in a few words."""


def good(name: str, version: str, where: Path | str) -> Part:
    """A part that is as it should be."""
    return Part(name=name, found=True, version=version, where=str(where))


def wrong(name: str, where: Path | str, problem: str, mend: str, *, version: str = "") -> Part:
    """A part that is there and does not do."""
    return Part(name=name, found=True, version=version, where=str(where), problem=problem, mend=mend)


def absent(name: str, problem: str, mend: str, *, where: str = "") -> Part:
    """A part that is needed and not there."""
    return Part(name=name, found=False, where=where, problem=problem, mend=mend)
