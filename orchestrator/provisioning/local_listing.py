"""What Podman has of a stack, by label; implements `ports.listing.ProviderListing`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.errors import ToolError
from orchestrator.process import run
from policies.subjects.population import listed, not_looked_at

_SOURCE: Final = "provider"
_SECONDS: Final = 30.0
_ASKED: Final[Mapping[str, Sequence[str]]] = {
    "server": ("ps", "--all"),
    "network": ("network", "ls"),
    "volume": ("volume", "ls"),
}


@dataclass(frozen=True)
class PodmanListing:
    """Containers, networks and volumes; whatever bears the stack's id counts, whoever made it."""

    def listing(self, stack_id: str) -> Mapping[str, Any]:
        """A document `steward.listing/1`; raises ToolError."""
        label = f"label=steward.stack-id={stack_id}"
        found: list[dict[str, str]] = []
        for kind, words in _ASKED.items():
            done = run(["podman", *words, "--filter", label, "--format", "json"], timeout=_SECONDS)
            found += [_entry(kind, record) for record in _records(done.stdout)]
        return listed(_SOURCE, list(_ASKED), found)


@dataclass(frozen=True)
class NoListing:
    """A provider that nobody here can ask: its members are unknown, which is not the same as none."""

    def listing(self, _stack_id: str) -> Mapping[str, Any]:
        """A document that says that nobody looked."""
        return not_looked_at(_SOURCE)


def _records(text: str) -> Iterator[Mapping[str, Any]]:
    try:
        found = json.loads(text or "[]")
    except ValueError as problem:
        raise ToolError("podman", "gave no whole list", got=text[:200]) from problem
    yield from (each for each in found or () if isinstance(each, dict))


def _entry(kind: str, record: Mapping[str, Any]) -> dict[str, str]:
    """By the name that the fleet gave it; what was made by hand has only Podman's."""
    marks = record.get("Labels") or record.get("labels") or {}
    names = record.get("Names")
    own = str(record.get("Name") or record.get("name") or (names[0] if names else ""))
    name = _name(marks) if marks.get("steward.kind") == kind else ""
    identity = str(marks.get("steward.incarnation", "")) if kind == "server" else own
    return {"type": kind, "name": name or own, "identity": identity}


def _name(marks: Mapping[str, str]) -> str:
    try:
        inputs = json.loads(base64.b64decode(marks.get("steward.inputs", "")) or "{}")
    except ValueError:
        return ""
    return str(inputs.get("name", "")) if isinstance(inputs, dict) else ""
