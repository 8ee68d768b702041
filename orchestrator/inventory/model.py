"""The inventory: which hosts, in which groups, with which variables. Values are data, never templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict


class InventoryHost(BaseModel):
    """One host and its variables; `secrets` go into a file of their own that lives as long as the play."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    groups: Sequence[str]
    variables: Mapping[str, Any]
    secrets: Mapping[str, Any] = {}


class Inventory(BaseModel):
    """All hosts of a stack, what they share, and what is declared of each (as `declared` tells it)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hosts: Sequence[InventoryHost]
    shared: Mapping[str, Any]
    declared: Mapping[str, str] = {}

    def names(self) -> tuple[str, ...]:
        """Host names in order."""
        return tuple(host.name for host in self.hosts)
