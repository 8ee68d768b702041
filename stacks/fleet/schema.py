"""The JSON Schema of the fleet file, so that editors complete and check it."""

from __future__ import annotations

import json
from typing import Any

from stacks.fleet.model import Fleet

FILE_NAME = "fleet.v1.json"


def fleet_schema() -> str:
    """JSON Schema (draft 2020-12) as text, stable between runs."""
    schema = Fleet.model_json_schema(by_alias=True, mode="validation")
    _close_names(schema)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Steward fleet, version 1"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _close_names(node: Any) -> None:
    """Refuse names that match no pattern: pydantic says what a good name holds, and lets others pass."""
    if isinstance(node, dict):
        if "patternProperties" in node:
            node["additionalProperties"] = False
            node.pop("propertyNames", None)
        for below in node.values():
            _close_names(below)
    if isinstance(node, list):
        for below in node:
            _close_names(below)
