"""What is kept of a converge on the control machine, and what a look at a host says. Sizes are bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.convergence.look import digest
from orchestrator.errors import ToolError

LONGEST_ANSWER = 16 << 20
_LONGEST_KEY, _LONGEST_VALUE = 4_096, 70_000

Parts = dict[str, dict[str, str]]
"""Values by key, by part: `{"/etc": {"/etc/passwd": "file 0644 0:0"}}`."""


class ConvergeRecord(BaseModel):
    """The last converge of one server incarnation that ended well, and the state it left.

    `begun`: a converge began afterwards and has not ended well; until one does, the record says nothing about
    the host. `declared` is the digest of those inputs that are known without asking anybody, '' in records of
    older versions. `by_hand` is what differed when it began, by part and key, with what was there instead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["steward.converge/2"] = Field("steward.converge/2", alias="schema")
    run: str
    inputs: str
    declared: str = ""
    state: Mapping[str, str]
    begun: bool = False
    by_hand: Mapping[str, Mapping[str, str | None]] = Field(default_factory=dict)


class Expected(BaseModel):
    """Every entry as it should be: as the converge left it, but for what was changed by hand before and no
    role put back (`unhealed`, by part). That keeps its old value, so that a converge cannot launder it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["steward.expected/1"] = Field("steward.expected/1", alias="schema")
    run: str
    at: datetime
    look: str
    """Digest of the program that looked: what another one sees cannot be compared."""
    parts: Parts
    unnamed: Mapping[str, str] = Field(default_factory=dict)
    """Digests of parts with too many entries to name."""
    unhealed: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    def digests(self) -> dict[str, str]:
        """The digest of each part as it should be."""
        return {**{name: digest(entries) for name, entries in self.parts.items()}, **self.unnamed}


@dataclass(frozen=True)
class Seen:
    """A look at a host: digests of all parts, and the entries of those that were asked for."""

    parts: Mapping[str, str]
    entries: Parts = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    """When an entry was changed, in Unix seconds, where the host can say."""
    unnamed: tuple[str, ...] = ()
    unit_files: Mapping[str, str] = field(default_factory=dict)
    """Whether units start at boot, where some are not as expected."""
    updated: Mapping[str, str] = field(default_factory=dict)
    """Packages that the host's own security updates brought, with their versions."""


def read_look(server: str, text: str) -> Seen:
    """What `look.py` printed; a host may print anything, so everything is checked. Raises ToolError."""
    try:
        document = json.loads(text[:LONGEST_ANSWER])
        parts = {_text(name): _text(value) for name, value in document["parts"].items()}
        entries: Parts = {}
        changed: dict[str, int] = {}
        for name, found in document.get("entries", {}).items():
            entries[_text(name)] = {}
            for key, (value, at) in found.items():
                entries[_text(name)][_text(key)] = _text(value, _LONGEST_VALUE)
                changed[_text(key)] = int(at)
        unnamed = tuple(_text(name) for name in document.get("unnamed", ()))
        unit_files, updated = (
            {_text(key): _text(value) for key, value in document.get(name, {}).items()}
            for name in ("unit_files", "updated")
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as problem:
        raise ToolError(server, f"its state cannot be read: {problem}") from problem
    return Seen(parts, entries, changed, unnamed, unit_files, updated)


def _text(value: Any, longest: int = _LONGEST_KEY) -> str:
    """A text of a host: names that are no UTF-8 are written with escapes."""
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"not a short text: {str(value)[:60]!r}")
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
