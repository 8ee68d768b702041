"""The package schema Pulumi asks for at import: generated from the same declarations that Check uses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from stacks.providers.local.kind import Kind
from stacks.providers.local.shapes import Field

VERSION = "0.1.0"

_SIMPLE: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "map": {"type": "object", "additionalProperties": {"type": "string"}},
    "integers": {"type": "object", "additionalProperties": {"type": "integer"}},
    "records": {"type": "array", "items": {"$ref": "pulumi.json#/Any"}},
}


def render(kinds: Iterable[Kind]) -> str:
    """The schema as JSON text."""
    return json.dumps(
        {
            "name": "local",
            "version": VERSION,
            "description": "Servers, networks, volumes and firewalls on one Linux machine with Podman",
            "resources": {kind.pulumi_type: _resource(kind) for kind in kinds},
        }
    )


def _resource(kind: Kind) -> dict[str, Any]:
    properties = {**kind.fields, **kind.outputs}
    return {
        "inputProperties": _properties(kind.fields),
        "requiredInputs": _required(kind.fields),
        "properties": _properties(properties),
        "required": _required(properties),
    }


def _properties(fields: Mapping[str, Field]) -> dict[str, Any]:
    return {key: _SIMPLE[field.type] for key, field in fields.items()}


def _required(fields: Mapping[str, Field]) -> list[str]:
    return sorted(key for key, field in fields.items() if field.required)
