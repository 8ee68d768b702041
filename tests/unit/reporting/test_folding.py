"""Answers said once for many: nothing is lost, whatever their order, and a thousand servers stay small."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.reporting.folding import folded, gathered, unfolded
from orchestrator.reporting.json import from_json, to_json
from tests.unit.reporting.parts import checks
from tests.unit.reporting.sample import demo

MIB = 1 << 20
few = st.sampled_from("abc")
check_rows = st.lists(st.fixed_dictionaries({"check": few, "verdict": few, "server": few}))
policy_rows = st.lists(
    st.fixed_dictionaries({"rule": few, "state": few, "subject": few, "kind": few, "urn": few})
)


@given(st.fixed_dictionaries({"checks": check_rows, "policies": policy_rows, "run": few}))
def test_unfolded_is_what_was_folded(document: dict[str, Any]) -> None:
    assert unfolded(json.loads(json.dumps(folded(document)))) == document


def test_equal_answers_become_neighbours_and_none_is_lost() -> None:
    first, second = checks()[:2]
    rows = [each.model_copy(update={"server": name}) for name in "ab" for each in (second, first)]
    found = gathered(rows)
    assert [(each.check, each.server) for each in found] == [
        (each.check, name) for each in (second, first) for name in "ab"
    ]


def test_a_report_of_version_1_is_read_as_it_was() -> None:
    report = demo()
    flat = unfolded(json.loads(to_json(report)))
    assert from_json(json.dumps({**flat, "schema": "steward.report/1"})) == report


@pytest.mark.parametrize("broken", [{"on": [99999]}, {"on": [-1]}, {"on": 3}, {}])
def test_a_place_that_is_none_is_named_and_no_traceback(broken: dict[str, Any]) -> None:
    document = json.loads(to_json(demo()))
    row = {key: value for key, value in document["policies"][0].items() if key != "on"}
    with pytest.raises(ValueError, match=r"judged has no place|no report"):
        from_json(json.dumps({**document, "policies": [{**row, **broken}]}))
