"""The report as JSON: the form every other format can be made from again."""

from __future__ import annotations

import json

from orchestrator.reporting.document import document_text
from orchestrator.reporting.folding import folded, unfolded
from orchestrator.reporting.model import SCHEMA, Report

_UNFOLDED = "steward.report/1"
"""Version 1 said every answer once for each server and subject."""


def to_json(report: Report) -> str:
    """One JSON document with sorted keys and UTC times; equal reports give equal bytes."""
    return document_text(folded(report.model_dump(mode="python", by_alias=True)))


def from_json(text: str) -> Report:
    """The report a document holds; pydantic's ValidationError or a ValueError names what is wrong with it."""
    found = json.loads(text)
    try:
        older = found["schema"] == _UNFOLDED
        document = {**found, "schema": SCHEMA} if older else unfolded(found)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"no report: {problem}") from problem
    return Report.model_validate(_frozen(document))


def _frozen(value: object) -> object:
    """Arrays as tuples, so that a report read back equals the one written."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
