"""The policy pack's lines, read whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import ToolError
from orchestrator.provisioning.policy_results import VARIABLE, read_policy_results
from policies.evaluate import evaluate
from policies.profiles import load_profiles
from policies.record import RESULTS_VARIABLE, ResultFile
from policies.subjects.resources import resource_subject

LINE: dict[str, Any] = {
    "rule": "r", "severity": "high", "state": "fail", "enforcement": "mandatory",
    "subject": {"name": "web-1", "type": "server", "urn": "u"},
    "observed": {"b": 1, "a": 2}, "expected": None,
}  # fmt: skip


def test_nothing_written_is_nothing_found(tmp_path: Path) -> None:
    assert read_policy_results(tmp_path / "absent") == []


def test_a_line(tmp_path: Path) -> None:
    path = tmp_path / "results"
    path.write_text(json.dumps(LINE) + "\n")
    (found,) = read_policy_results(path)
    assert (found.subject, found.kind, found.urn, found.observed, found.expected) == (
        "web-1",
        "server",
        "u",
        '{"a": 2, "b": 1}',
        "",
    )


@pytest.mark.parametrize(
    "second",
    [
        "{",
        "null",
        "[]",
        "{}",
        '"x"',
        json.dumps(LINE)[:-9],
        json.dumps({**LINE, "state": "fine"}),
        json.dumps({**LINE, "subject": "web-1"}),
    ],
)
def test_a_broken_line_is_never_skipped(tmp_path: Path, second: str) -> None:
    path = tmp_path / "results"
    path.write_text(json.dumps(LINE) + "\n" + second + "\n")
    with pytest.raises(ToolError, match="policy pack: results: result 2 cannot be read"):
        read_policy_results(path)


def test_what_the_real_rules_write_is_what_is_read(tmp_path: Path) -> None:
    assert VARIABLE == RESULTS_VARIABLE
    token, tags = "local:index:Network", {"client": "acme", "environment": "demo"}
    urn = f"urn:pulumi:acme-demo::steward::{token}::app"
    body = {"name": "app", "cidr": "8.0.0.0/8", "tags": tags}
    judged = evaluate([resource_subject(token, urn, "app", body, is_component=False)], load_profiles())
    record = ResultFile(str(tmp_path / "results"))
    record.append(judged)
    record.close()
    found = read_policy_results(tmp_path / "results")
    assert len(found) == len(judged) > 5
    assert {each.state for each in found} >= {"fail", "not_applicable"}
    assert {each.subject for each in found} == {"app"}
