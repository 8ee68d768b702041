"""The JSON Schema of a run's report, for whoever reads `--json`."""

from __future__ import annotations

import json

from orchestrator.reporting.model import Report

FILE_NAME = "report.v1.json"


def report_schema() -> str:
    """JSON Schema (draft 2020-12) as text, stable between runs."""
    schema = Report.model_json_schema(by_alias=True, mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Steward report, version 1"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
