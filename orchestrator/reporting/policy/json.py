"""The canonical form: sorted, deterministic, and without what is at its default."""

from __future__ import annotations

import json
from typing import Final

from orchestrator.reporting.document import document_text, schema_of, schema_text
from orchestrator.reporting.policy.model import PolicyReport
from orchestrator.reporting.policy.reconcile import check

FILE_NAME: Final = "policy-report.v1.json"
"""The schema's, in docs/schemas."""
LARGEST: Final = 64 << 20
"""Bytes of a report that is read; one of 100 rules and 10,000 subjects has less than half."""


def to_json(report: PolicyReport) -> str:
    """One JSON document; equal reports give equal bytes, on every machine."""
    return document_text(
        {"schema": report.schema_, **report.model_dump(mode="python", by_alias=True, exclude_defaults=True)}
    )


def from_json(text: str | bytes) -> PolicyReport:
    """The report in a document; raises ValueError, or what `check` raises when it does not add up."""
    if len(text) > LARGEST:
        raise ValueError(f"a policy report has at most {LARGEST >> 20} MiB, this has {len(text) >> 20}")
    try:
        # Names may hold lone surrogates: the standard library reads them back, pydantic's parser does not.
        document = json.loads(text)
    except RecursionError as problem:
        raise ValueError("a policy report is not nested without end") from problem
    return check(PolicyReport.model_validate(document))


def policy_report_schema() -> str:
    """JSON Schema of the document, as text."""
    title = "Steward policy report, version 1"
    schema = schema_of(PolicyReport, title, mode="validation")
    schema["required"] = ["schema", *schema["required"]]
    return schema_text(schema)
