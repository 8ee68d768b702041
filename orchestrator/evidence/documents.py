"""The payloads of a period, opened; what they say is a stranger's word and read as that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.evidence.record import Line, Payload

REPORT: Final = "steward.report/2"
POLICY_REPORT: Final = "steward.policy-report/1"
HOST_FACTS: Final = "steward.host-facts/1"
_MOST_ROWS: Final = 1_000_000

Row = Mapping[str, object]
"""One of a bundle's tables."""


@dataclass(frozen=True)
class Document:
    """One payload of one record; without `content` it was erased."""

    line: Line
    payload: Payload
    salt: bytes = b""
    content: bytes | None = None

    @property
    def at(self) -> str:
        """When its record was written, as there."""
        return self.line.text("ended_at")


@dataclass(frozen=True)
class Read:
    """A document that is what its schema says."""

    line: Line
    found: Mapping[str, Any]

    @property
    def at(self) -> str:
        """When its record was written, as there."""
        return self.line.text("ended_at")


def of_schema(documents: Sequence[Document], schema: str) -> Iterator[Read]:
    """Those with that schema, in the order of the chain."""
    for document in documents:
        try:
            found = json.loads(document.content) if document.content is not None else None
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and found.get("schema") == schema:
            yield Read(document.line, found)


def rows(found: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects; anything else that stands there is left out."""
    value = found.get(name)
    return [each for each in value[:_MOST_ROWS] if isinstance(each, dict)] if isinstance(value, list) else []


def text(row: Mapping[str, Any], name: str) -> str:
    """A text or a number as text; '' for anything else."""
    value = row.get(name)
    return str(value)[:500] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def table(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object by its name; an empty one where there is none."""
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def matrix(report: Read) -> dict[str, str]:
    """Rule -> a letter a subject, as a policy report has them."""
    found = table(report.found, "matrix")
    return {rule: letters for rule, letters in found.items() if isinstance(letters, str)}
