"""What the policy pack wrote about every (rule, subject) pair it judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestrator.errors import ToolError
from orchestrator.reporting.model import PolicyResult

VARIABLE = "STEWARD_POLICY_RESULTS"


def read_policy_results(path: Path) -> list[PolicyResult]:
    """All results of one preview, in the order they were judged; raises ToolError on a broken line."""
    if not path.exists():
        return []
    results = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            results.append(_result(json.loads(line)))
        except (ValueError, KeyError, TypeError) as problem:
            raise ToolError(
                "policy pack", f"result {number} cannot be read: {problem}", place=path.name
            ) from problem
    return results


def _result(raw: dict[str, Any]) -> PolicyResult:
    subject = raw["subject"]
    return PolicyResult(
        rule=raw["rule"],
        severity=raw["severity"],
        state=raw["state"],
        enforcement=raw["enforcement"],
        subject=subject["name"],
        kind=subject["type"] if "type" in subject else subject["kind"],
        urn=subject.get("urn") or "",
        profile=raw.get("profile") or "",
        observed=_text(raw.get("observed")),
        expected=_text(raw.get("expected")),
        path=raw.get("path") or "",
        message=raw.get("message") or "",
        remediation=raw.get("remediation") or "",
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
