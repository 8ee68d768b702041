"""The JSON Schema of the fleet file, so that editors complete and check it."""

from __future__ import annotations

import json
from typing import Any

from stacks.fleet.explain import INCLUDE
from stacks.fleet.model import Fleet

FILE_NAME = "fleet.v1.json"
PART_FILE_NAME = "fleet-part.v1.json"


def fleet_schema() -> str:
    """JSON Schema (draft 2020-12) of a file that says everything itself; stable between runs."""
    return _text(_schema(), "Steward fleet, version 1")


def part_schema() -> str:
    """The same for a file that includes others, or is included: nothing is required, and null removes."""
    schema = _schema()
    _loosen(schema)
    schema["properties"][INCLUDE] = {
        "description": "Files below the project's folder, by their path from here. What this file says wins.",
        "items": {"pattern": r"\.ya?ml$", "type": "string"},
        "minItems": 1,
        "type": "array",
    }
    return _text(schema, "Part of a Steward fleet, version 1")


def _schema() -> dict[str, Any]:
    schema = Fleet.model_json_schema(by_alias=True, mode="validation")
    _close_names(schema)
    schema["patternProperties"] = {"^x-": {"description": "Holds anchors; says nothing by itself."}}
    return schema


def _text(schema: dict[str, Any], title: str) -> str:
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = title
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _loosen(node: Any) -> None:
    """Drop what only the merged whole must have, and let every value of a mapping be null."""
    if isinstance(node, dict):
        for key in ("required", "minProperties"):
            node.pop(key, None)
        for key in ("properties", "patternProperties", "$defs"):
            for name, below in node.get(key, {}).items():
                _loosen(below)
                if key != "$defs":
                    node[key][name] = {"anyOf": [below, {"type": "null"}]}
        for key, below in node.items():
            if key not in ("properties", "patternProperties", "$defs"):
                _loosen(below)
    if isinstance(node, list):
        for below in node:
            _loosen(below)


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
