"""The report as JSON: the form every other format can be made from again."""

from __future__ import annotations

import json
from datetime import date, datetime

from orchestrator.reporting.humanise import iso
from orchestrator.reporting.model import Report


def to_json(report: Report) -> str:
    """One JSON document with sorted keys and UTC times; equal reports give equal bytes."""
    document = report.model_dump(mode="python", by_alias=True)
    # ASCII only: a bidi or invisible character in a name must not rearrange the file in an auditor's editor.
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False, default=_plain) + "\n"


def from_json(text: str) -> Report:
    """The report a document holds; pydantic's ValidationError or a ValueError names what is wrong with it."""
    return Report.model_validate(_frozen(json.loads(text)))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a report holds no {type(value).__name__}")


def _frozen(value: object) -> object:
    """Arrays as tuples, so that a report read back equals the one written."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
