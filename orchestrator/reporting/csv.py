"""Findings and every answer as one table for a spreadsheet: a row each, nothing folded, nothing that acts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from orchestrator.reporting.escape import csv_cell
from orchestrator.reporting.findings import ranked
from orchestrator.reporting.model import Report

COLUMNS = (
    "what", "state", "severity", "blocking", "subject", "rule", "title", "observed", "expected", "fix", "by",
)  # fmt: skip


def to_csv(report: Report) -> str:
    """RFC 4180 with a header; findings as a person takes them up, then checks, then policy results."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in _rows(report):
        writer.writerow([csv_cell(row.get(name, "")) for name in COLUMNS])
    return text.getvalue()


def _rows(report: Report) -> Iterator[dict[str, str]]:
    for finding in ranked(report.findings):
        yield {
            "what": "finding", "state": "open", "severity": finding.severity,
            "blocking": "yes" if finding.blocking else "no", "subject": finding.subject, "rule": finding.rule,
            "title": finding.title, "observed": finding.observed, "expected": finding.expected,
            "fix": finding.fix, "by": finding.source,
        }  # fmt: skip
    for check in report.checks:
        yield {
            "what": "check", "state": check.verdict.value, "subject": check.server, "rule": check.check,
            "title": check.title, "observed": check.observed, "expected": check.expected, "by": check.witness,
        }  # fmt: skip
    for result in report.policies:
        yield {
            "what": "policy", "state": result.state, "severity": result.severity,
            "blocking": "yes" if result.enforcement == "mandatory" else "no", "subject": result.subject,
            "rule": result.rule, "title": result.message, "observed": result.observed,
            "expected": result.expected, "fix": result.remediation, "by": result.profile,
        }  # fmt: skip
