"""What each format says of a report, and that it is the format it claims to be."""

from __future__ import annotations

import csv
import json
import os
import re
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from orchestrator.reporting.policy.csv import COLUMNS, to_csv
from orchestrator.reporting.policy.html import to_html
from orchestrator.reporting.policy.junit import to_junit
from orchestrator.reporting.policy.lookup import Lookup, holes
from orchestrator.reporting.policy.markdown import MOST, to_markdown
from orchestrator.reporting.policy.model import LETTERS, PolicyReport, Verdict
from orchestrator.reporting.policy.oscal import to_oscal
from orchestrator.reporting.policy.reconcile import check, counted
from orchestrator.reporting.policy.sarif import MOST as MOST_RESULTS
from orchestrator.reporting.policy.sarif import to_sarif
from orchestrator.reporting.policy.standing import standings
from tests.unit.reporting.policy import sample

SARIF = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))


def oscal_model() -> Any:
    """The reader of compliance-trestle; a skip that says how to get it, or a failure where all must run."""
    try:
        from trestle.oscal.assessment_results import Model
    except ImportError:
        missing = "compliance-trestle is missing: make setup"
        if os.environ.get("STEWARD_REQUIRE_REAL") == "1":
            pytest.fail(f"{missing} (STEWARD_REQUIRE_REAL=1)", pytrace=False)
        pytest.skip(missing)
    return Model


def told(report: PolicyReport, state: str) -> set[tuple[str, str]]:
    """(rule, name of subject) of each pair in a state."""
    return {
        (rule, report.subjects[place].id)
        for rule, line in report.matrix.items()
        for place, letter in enumerate(line)
        if LETTERS[letter] == state
    }


def sarif(report: PolicyReport) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(to_sarif(report))
    jsonschema.Draft7Validator(SARIF, format_checker=jsonschema.FormatChecker()).validate(log)
    return log["runs"][0]  # type: ignore[no-any-return]


def test_the_schema_of_sarif_can_say_no() -> None:
    log = json.loads(to_sarif(sample.green()))
    log["runs"][0]["results"].append({"level": "error"})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SARIF).validate(log)


def test_sarif_lists_all_that_is_open_or_excused_and_nothing_that_passed() -> None:
    report = sample.refused()
    run = sarif(report)
    found = {
        (
            each["ruleId"],
            each["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
            each["properties"]["state"],
        )
        for each in run["results"]
    }
    for state in ("fail", "error", "unknown", "waived", "baselined"):
        assert {pair[:2] for pair in found if pair[2] == state} >= told(report, state), state
    assert not {pair for pair in found if pair[2] in ("pass", "not_applicable")}
    assert run["properties"]["counts"] == report.counts
    assert all(each["kind"] == "fail" and each["level"] != "none" for each in run["results"])
    assert run["tool"]["driver"]["rules"][3]["id"] == report.rules[3].id


def test_what_was_not_run_is_told_although_no_result_speaks_of_it() -> None:
    report = sample.refused()
    silent = told(report, "not_run") - {(r.rule, report.subjects[p].id) for r in report.results for p in r.on}
    assert silent, "the sample has such pairs"
    said = [each["message"]["text"] for each in sarif(report)["invocations"][0]["toolExecutionNotifications"]]
    assert any("not run" in text for text in said)
    assert any("host facts of db-1" in text for text in said)
    counted = sum(hole.pairs for hole in holes(Lookup(report)))
    assert counted == report.counts["unknown"] + report.counts["error"] + report.counts["not_run"]


def told_pairs(results: list[dict[str, Any]], state: str) -> set[tuple[str, str]]:
    """(rule, id of subject) of every result in a state, also of those that tell of several subjects."""
    found = set()
    for each in results:
        if each["properties"]["state"] == state:
            alone = each["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
            found |= {(each["ruleId"], one) for one in each["properties"].get("subjects", [alone])}
    return found


def test_every_pair_that_was_not_run_is_a_result_of_sarif_that_viewers_show() -> None:
    report = sample.refused()
    results = sarif(report)["results"]
    assert told_pairs(results, "not_run") == told(report, "not_run")
    last = [each for each in results if each["properties"]["state"] == "not_run"]
    assert results[-len(last) :] == last, "what is cut off first is what nobody looked at"
    assert {(each["kind"], each["level"]) for each in last} == {("fail", "note")}


def test_what_was_not_run_stays_under_the_limit_of_code_hosts_and_none_is_lost() -> None:
    report = left_out(sample.large(), "nobody asked")
    assert report.counts["not_run"] > MOST_RESULTS
    results = sarif(report)["results"]
    assert len(results) < MOST_RESULTS
    assert told_pairs(results, "not_run") == told(report, "not_run")
    grouped = [each for each in results if each["properties"].get("pairs", 0) > 1]
    assert sum(each["properties"]["pairs"] for each in grouped) > MOST_RESULTS
    assert all(" more: not run: " in each["message"]["text"] for each in grouped)


def left_out(report: PolicyReport, why: str) -> PolicyReport:
    """The report, had no rule been asked about any subject."""
    matrix = {rule: "x" * len(line) for rule, line in report.matrix.items()}
    subjects = tuple(each.model_copy(update={"left_out": why}) for each in report.subjects)
    verdict = Verdict(green=False, exit_code=0, blocking=0, words="Nothing blocks, but this is not green.")
    counts = counted(matrix)
    changes = {"matrix": matrix, "results": (), "subjects": subjects, "counts": counts, "verdict": verdict}
    return check(report.model_copy(update=changes))


def test_the_reason_of_what_was_not_run_is_its_own_in_every_format() -> None:
    report = left_out(sample.green(), "no facts of this host were given")
    for text in (
        *(to_csv(report), to_junit(report), to_html(report), to_sarif(report), to_oscal(report)),
        to_markdown(report),
    ):
        assert "no facts of this host were given" in text
        assert "the rule was not asked about this subject" not in text


def test_an_exception_is_a_suppression_with_its_end() -> None:
    results = sarif(sample.refused())["results"]
    [waived] = [each for each in results if each["properties"]["state"] == "waived"]
    [suppression] = waived["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert suppression["justification"] == "The old jump host goes in December"
    assert suppression["properties"]["expires"] == "2026-12-24"
    kept, *_ = [each for each in results if each["properties"]["state"] == "baselined"]
    assert kept["suppressions"][0]["justification"] == "in the baseline"
    assert "stewardValues/v1" in kept["partialFingerprints"]
    assert not [
        e for e in results if "suppressions" in e and e["properties"]["state"] in ("fail", "unknown", "error")
    ]


def test_levels_follow_severity() -> None:
    run = sarif(sample.refused())
    rules = {each["id"]: each["properties"]["severity"] for each in run["tool"]["driver"]["rules"]}
    wanted = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
    assert {each["level"] for each in run["results"]} >= {"error", "warning"}
    for each in run["results"]:
        if each["properties"]["state"] != "not_run":
            assert each["level"] == wanted[rules[each["ruleId"]]]


def test_a_task_is_found_in_its_file() -> None:
    report = sample.refused()
    place = next(p for each in report.results for p in each.on)
    subjects = list(report.subjects)
    subjects[place] = subjects[place].model_copy(update={"file": "playbooks/a b.yml", "line": 12})
    run = sarif(report.model_copy(update={"subjects": tuple(subjects)}))
    places = [each["locations"][0]["physicalLocation"] for each in run["results"]]
    assert {"artifactLocation": {"uri": "playbooks/a%20b.yml"}, "region": {"startLine": 12}} in places
    assert {"artifactLocation": {"uri": "stacks/fleets/demo.yaml"}, "region": {"startLine": 1}} in places


def test_junit_counts_add_up_and_only_a_pass_looks_like_one() -> None:
    report = sample.refused()
    root = ElementTree.fromstring(to_junit(report))  # noqa: S314  # our own
    assert [suite.get("name") for suite in root] == [rule.id for rule in report.rules]
    found: dict[str, int] = {}
    for suite in root:
        cases = suite.findall("testcase")
        assert len(cases) + int(suite.find("properties")[-1].get("value")) == len(report.subjects)  # type: ignore[index, arg-type]
        for kind in ("failure", "error", "skipped"):
            plural = kind if kind == "skipped" else f"{kind}s"
            assert int(suite.get(plural, "-1")) == len(suite.findall(f"testcase/{kind}"))
        for case in cases:
            kind = case[0].tag if len(case) else "pass"
            state = (case[0].get("type") or "").split(",")[0].replace(" ", "_") if len(case) else "pass"
            found[state] = found.get(state, 0) + 1
            assert kind in {
                "pass": {"pass"}, "fail": {"failure"}, "error": {"error"}, "unknown": {"error", "skipped"},
                "not_run": {"skipped"}, "waived": {"skipped"}, "baselined": {"skipped"},
            }[state]  # fmt: skip
            assert kind == "pass" or case[0].get("message")
    assert found == {state: count for state, count in report.counts.items() if state != "not_applicable"}


def test_csv_has_every_pair() -> None:
    report = sample.refused()
    rows = list(csv.DictReader(StringIO(to_csv(report), newline=""), strict=True))
    assert list(rows[0]) == list(COLUMNS)
    for state in report.counts:
        assert {(row["rule"], row["subject_id"]) for row in rows if row["state"] == state} >= told(
            report, state
        ), state
    assert len({(row["rule"], row["subject_id"]) for row in rows}) == len(report.rules) * len(report.subjects)
    assert rows[0]["state"] == "fail"
    [waived] = [row for row in rows if row["state"] == "waived"]
    assert (waived["waiver"], waived["waiver_expires"]) == ("W-7", "2026-12-24")


@pytest.mark.parametrize("make", [sample.refused, sample.large, sample.green])
def test_markdown_fits_a_comment_and_begins_with_the_verdict(make: Any) -> None:
    report = make()
    text = to_markdown(report)
    assert len(text) < MOST
    lines = text.splitlines()
    assert lines[0].startswith(("### ✕ Refused", "### ✓ Green"))
    assert str(len(report.rules)) in lines[2]
    for state, count in report.counts.items():
        assert f"{count:,} {state.replace('_', ' ')}" in text


def test_what_does_not_fit_is_counted() -> None:
    report = sample.large()
    text = to_markdown(report)
    blocks = sum(each.blocks for each in report.results)
    section = text.split("#### What blocks ")[1].split("####")[0]
    assert section.startswith(f"({report.verdict.blocking} pairs)")
    rows = sum(line.startswith("| ") for line in section.splitlines()) - 3
    assert f"| and {blocks - rows} more rows in the JSON report |" in section


def test_what_blocks_is_one_figure_although_a_pair_is_wrong_at_two_places() -> None:
    report = sample.refused()
    stops = next(each for each in report.results if each.blocks)
    twice = stops.model_copy(update={"path": "elsewhere"})
    report = check(report.model_copy(update={"results": (*report.results, twice)}))
    text = to_markdown(report)
    heads = dict(re.findall(r"^#### (.+) \((\d+) pairs?\)$", text, flags=re.MULTILINE))
    assert int(heads["What blocks"]) == report.verdict.blocking
    assert f"Refused: {report.verdict.blocking} pairs" in text
    open_pairs = sum(report.counts[state] for state in ("unknown", "error", "not_run"))  # type: ignore[index]
    assert int(heads["Not judged, so no pass"]) == open_pairs


def test_controls_are_met_by_passes_alone() -> None:
    for rows in standings(sample.refused()).values():
        for each in rows:
            counts = each.counts
            if each.stand == "met":
                assert counts["pass"]
                assert not sum(
                    counts[s] for s in ("fail", "error", "unknown", "not_run", "waived", "baselined")
                )
    assert {each.stand for rows in standings(sample.green()).values() for each in rows} == {"met"}
    order = [each.control for each in standings(sample.large())["iso-27001"]]
    numbers = [[int(part) for part in control.split(".")[1:]] for control in order]
    assert numbers == sorted(numbers)
    assert numbers != sorted(numbers, key=str), "as text they would be in another order"
