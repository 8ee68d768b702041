"""Reports of large fleets stay small."""

from __future__ import annotations

from orchestrator.reporting.json import from_json, to_json
from tests.unit.reporting.sample import thousand

MIB = 1 << 20


def test_a_thousand_servers_stay_small_and_every_answer_is_there() -> None:
    report = thousand()
    text = to_json(report)
    assert len(text) < 5 * MIB
    assert from_json(text) == report
