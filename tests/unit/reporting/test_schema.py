"""The exported schema is that of the model, and what is written fits it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from orchestrator.reporting.json import to_json
from orchestrator.reporting.schema import FILE_NAME, report_schema
from tests.unit.reporting.sample import demo, failing

COMMITTED = Path(__file__).parents[3] / "docs" / "schemas" / FILE_NAME


def test_the_committed_schema_is_the_models() -> None:
    assert COMMITTED.read_text() == report_schema()


def test_reports_fit_it() -> None:
    schema = json.loads(report_schema())
    for report in (demo(), failing()):
        jsonschema.Draft202012Validator(schema).validate(json.loads(to_json(report)))
