"""What a host says about its packages, checked: it may say anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import ToolError

_LONGEST = 500_000
_Text = Annotated[str, Field(max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackageChange(_Part):
    """A package at another version than before; `before` is '' for one that came along."""

    package: _Text
    before: _Text
    after: _Text
    security: bool = False


class HostPatch(_Part):
    """The answer of `upgrade.py`: what changed or would, units that were restarted, and what is still due."""

    document: Literal["steward.host-patch/1"] = Field(alias="schema")
    changes: Annotated[Sequence[PackageChange], Field(max_length=5_000)] = ()
    restarted: Annotated[Sequence[_Text], Field(max_length=500)] = ()
    reboot: Annotated[str, Field(max_length=300)] = ""
    boot: _Text = ""
    problem: Annotated[str, Field(max_length=4_000)] = ""


def read_patch(server: str, text: str) -> HostPatch:
    """The host's answer; raises ToolError for one that is none, or that tells a problem."""
    try:
        found = HostPatch.model_validate_json(text[:_LONGEST])
    except ValidationError as problem:
        raise ToolError(server, "did not say what it upgraded", got=" ".join(text.split())[:200]) from problem
    if found.problem:
        raise ToolError(
            server, f"could not be patched: {found.problem}", next_step="Mend it, then patch again."
        )
    return found
