"""OSCAL tells of every pair in its state, satisfies only what was shown, and is read by trestle."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from orchestrator.reporting.policy.model import PolicyReport
from orchestrator.reporting.policy.oscal import control_id, to_oscal
from orchestrator.reporting.policy.standing import standings
from tests.unit.reporting.policy import sample
from tests.unit.reporting.policy.test_formats import oscal_model, told


@pytest.mark.parametrize("make", [sample.refused, sample.green])
def test_oscal_is_read_by_trestle(make: Any) -> None:
    text = to_oscal(make())
    found = oscal_model().model_validate_json(text).assessment_results
    assert found.results[0].findings
    with pytest.raises(ValueError, match="findings"):
        oscal_model().model_validate_json(text.replace('"target-id":"', '"target-id":" 1 ', 1))


def test_oscal_ids_are_those_of_the_run_and_its_evidence() -> None:
    report = sample.refused()
    assert to_oscal(report) == to_oscal(report.model_copy())
    others = [report.model_copy(update=each) for each in ({"run": "01KBX8"}, {"chain_head": "0" * 64})]
    ids = {json.loads(to_oscal(each))["assessment-results"]["uuid"] for each in (report, *others)}
    assert len(ids) == 3
    text = to_oscal(report)
    document = json.loads(text)["assessment-results"]
    inventory = {each["uuid"] for each in document["results"][0]["local-definitions"]["inventory-items"]}
    seen = {each["uuid"] for each in document["results"][0]["observations"]}
    for each in document["results"][0]["observations"]:
        assert {one["subject-uuid"] for one in each.get("subjects", [])} <= inventory
    for each in document["results"][0]["findings"]:
        assert {one["observation-uuid"] for one in each["related-observations"]} <= seen


def observed(report: PolicyReport) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Each observation with its properties."""
    document = json.loads(to_oscal(report))["assessment-results"]["results"][0]
    return [({one["name"]: one["value"] for one in each["props"]}, each) for each in document["observations"]]


def test_oscal_tells_of_every_pair_in_its_state_and_of_what_was_not_checked() -> None:
    report = sample.refused()
    ids = {each.id: each for each in report.subjects}
    document = json.loads(to_oscal(report))["assessment-results"]["results"][0]
    items = document["local-definitions"]["inventory-items"]
    names = {each["uuid"]: next(p["value"] for p in each["props"] if p["name"] == "id") for each in items}
    assert set(names.values()) == set(ids)
    found: dict[str, set[tuple[str, str]]] = {}
    for props, each in observed(report):
        for subject in each.get("subjects", []):
            pair = (props["rule"], names[subject["subject-uuid"]])
            found.setdefault(props["state"], set()).add(pair)
    for state in ("pass", "fail", "unknown", "error", "not_run", "waived", "baselined"):
        assert found[state] >= told(report, state), state
    assert found["pass"] == told(report, "pass")
    assert found["not_run"] == told(report, "not_run")
    (left,) = [each for props, each in observed(report) if props.get("state") == "not_checked"]
    assert left["title"] == "Not checked: host facts of db-1"
    assert left["description"] == "it did not answer within 10 s"


def test_oscal_marks_no_rule_as_passed_that_passed_nothing_and_its_sentences_add_up() -> None:
    report = sample.refused()
    passed = {rule for rule, line in report.matrix.items() if "p" in line}
    assert passed < set(report.matrix), "the sample has a rule without a pass"
    assert {props["rule"] for props, _ in observed(report) if props.get("state") == "pass"} == passed
    sums = [each["description"] for _, each in observed(report) if each["title"].endswith(": all pairs")]
    assert len(sums) == len(report.rules)
    for words in sums:
        total, *parts = map(int, re.findall(r"\d+", words))
        assert total == sum(parts) == len(report.subjects), words


def test_oscal_has_plain_titles() -> None:
    document = json.loads(to_oscal(sample.large()))["assessment-results"]["results"][0]
    titles = [each["title"] for each in (*document["findings"], *document["observations"])]
    assert [title for title in titles if "`" in title] == []
    assert any(re.match(r"NIST SP 800-53 [A-Z]{2}-\d+\(\d+\): ", title) for title in titles)
    assert any(title.startswith("ISO/IEC 27001, Annex A A.5.") for title in titles)


def test_oscal_satisfies_no_control_that_was_not_shown() -> None:
    report = sample.refused()
    document = json.loads(to_oscal(report))["assessment-results"]["results"][0]
    states = {each["target"]["target-id"]: each["target"]["status"] for each in document["findings"]}
    for rows in standings(report).values():
        for each in rows:
            status = states[control_id(each.framework, each.control)]
            assert (status["state"] == "satisfied") == (each.stand == "met")
            assert each.stand in status["remarks"].replace("`", "")
    assert control_id(report.frameworks[0].model_copy(update={"id": "nist-800-53"}), "AC-6(1)") == "ac-6.1"
    [risk] = [each for each in document["risks"] if each["status"] == "deviation-approved"]
    assert risk["deadline"] == "2026-12-24T23:59:59Z"
