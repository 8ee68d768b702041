"""The JSON Schema of a run's report, for whoever reads `--json`."""

from __future__ import annotations

from typing import Any

from orchestrator.reporting.document import schema_of, schema_text
from orchestrator.reporting.folding import SUBJECT
from orchestrator.reporting.model import Report

FILE_NAME = "report.v2.json"


def report_schema() -> str:
    """JSON Schema as text: that of the model, with answers as they are written, folded."""
    schema = schema_of(Report, "Steward report, version 2")
    check, result = schema["$defs"]["Check"], schema["$defs"]["PolicyResult"]
    _apart(check, "server")
    _said_of(check, "servers", {"type": "string"})
    subject = {name: result["properties"][name] for name in SUBJECT}
    _apart(result, *SUBJECT)
    _said_of(result, "on", {"type": "integer", "minimum": 0})
    schema["$defs"]["Judged"] = {
        "additionalProperties": False,
        "description": "What was judged; results name it by its place in the list, from 0.",
        "properties": subject,
        "required": list(SUBJECT),
        "title": "Judged",
        "type": "object",
    }
    schema["properties"]["judged"] = {"items": {"$ref": "#/$defs/Judged"}, "title": "Judged", "type": "array"}
    schema["required"] = [*schema["required"], "judged"]
    return schema_text(schema)


def _apart(row: dict[str, Any], *names: str) -> None:
    row["properties"] = {name: value for name, value in row["properties"].items() if name not in names}
    row["required"] = [name for name in row["required"] if name not in names]


def _said_of(row: dict[str, Any], name: str, item: dict[str, Any]) -> None:
    row["properties"][name] = {"items": item, "minItems": 1, "title": name.title(), "type": "array"}
    row["required"] = [*row["required"], name]
