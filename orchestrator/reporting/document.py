"""The one form of JSON documents, and of their schemas: sorted keys, UTC times, one row a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from orchestrator.reporting.humanise import iso
from orchestrator.reporting.record import Record


def document_text(document: Mapping[str, Any]) -> str:
    """One JSON document; equal ones give equal bytes. A list of objects has one of them on each line.

    ASCII only: a bidi or invisible character in a name must not rearrange the file in an auditor's editor.
    """
    parts = [f"  {_text(key)}: {_value(value)}" for key, value in sorted(document.items())]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def schema_of(
    model: type[Record], title: str, *, mode: Literal["serialization", "validation"] = "serialization"
) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what is written, stable between runs; `validation` for a document that
    leaves out what is at its default."""
    schema = model.model_json_schema(by_alias=True, mode=mode)
    return {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}


def schema_text(schema: Mapping[str, Any]) -> str:
    """The schema as the text that is committed."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return "[\n    " + ",\n    ".join(map(_text, value)) + "\n  ]"
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a document holds no {type(value).__name__}")
