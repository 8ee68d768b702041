"""A report adds up, or it is an error with a name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orchestrator.errors import StewardError
from orchestrator.reporting.policy.build import policy_report, problem
from orchestrator.reporting.policy.html import to_html
from orchestrator.reporting.policy.json import FILE_NAME, from_json, policy_report_schema, to_json
from orchestrator.reporting.policy.markdown import to_markdown
from orchestrator.reporting.policy.model import LETTERS, PolicyReport
from orchestrator.reporting.policy.oscal import to_oscal
from orchestrator.reporting.policy.reconcile import (
    WORST,
    EmptyPopulationError,
    InconsistentReportError,
    check,
)
from policies import assessment
from policies.assessment import Assessment
from policies.evaluate import assess
from policies.model import Enforcement, State
from policies.pack import load_pack
from tests.unit.reporting.policy import sample

ROOT = Path(__file__).parents[4]


def test_the_words_are_those_of_the_rules() -> None:
    assert {letter: state.value for state, letter in assessment.LETTERS.items()} == LETTERS
    assert tuple(state.value for state in assessment.WORST) == WORST


def test_every_pair_is_counted_once_in_one_of_eight_states() -> None:
    report = sample.refused()
    assert set(report.counts) == {state.value for state in State}
    assert all(report.counts.values()), "the sample has a pair in each state"
    assert sum(report.counts.values()) == len(report.rules) * len(report.subjects)
    assert report.population.subjects == len(report.subjects) == sum(report.population.by_kind.values())
    assert (report.verdict.green, report.verdict.exit_code) == (False, 1)
    assert report.verdict.blocking == len({(r.rule, p) for r in report.results if r.blocks for p in r.on})


def test_results_are_those_of_the_assessment() -> None:
    judged = sample.judged()
    report = policy_report(judged, sample.context())
    places = {subject.urn: place for place, subject in enumerate(judged.subjects)}
    wanted = Counter(
        (each.rule, places[each.subject.urn], each.state.value, each.path, each.observed, each.expected)
        for each in judged.results
    )
    found = Counter(
        (each.rule, place, each.state, each.path, each.observed, each.expected)
        for each in report.results
        for place in each.on
    )
    assert set(found) == set(wanted)
    assert any(len(each.on) > 1 for each in report.results), "what is said alike is told once"


def test_what_a_message_repeats_is_left_out() -> None:
    judged = sample.judged()
    first = next(each for each in judged.results if each.rule == sample.SSH and each.state is State.FAIL)
    assert problem(first) == "SSH (22/tcp) is open to anywhere"
    odd = first._replace(message="said otherwise")
    assert problem(odd) == "said otherwise"


def test_a_green_report_rests_on_passes_alone() -> None:
    report = sample.green()
    assert (report.verdict.green, report.verdict.exit_code, report.verdict.blocking) == (True, 0, 0)
    assert report.verdict.words.startswith("Green: of 1 rule on ")
    assert report.results == ()


@pytest.mark.parametrize("state", [State.FAIL, State.UNKNOWN, State.ERROR, State.NOT_RUN])
def test_what_is_no_pass_is_never_green(state: State) -> None:
    judged = assess(sample.population(sample.FEW), load_pack(None).profiles)
    results = tuple(
        each._replace(state=state, enforcement=Enforcement.ADVISORY) for each in judged.results[:1]
    )
    matrix = {rule: "n" * len(judged.subjects) for rule in judged.matrix}
    place = judged.subjects.index(results[0].subject)
    line = list(matrix[results[0].rule])
    line[place] = assessment.LETTERS[state]
    told = replace(judged, results=results, matrix=matrix | {results[0].rule: "".join(line)})
    report = policy_report(told, sample.context())
    assert (report.verdict.green, report.verdict.exit_code) == (False, 0)
    assert "not green" in report.verdict.words


@pytest.mark.parametrize("changes", [
    {"differences": 1},
    {"waivers": sample.waivers(0)[1:2]},
    {"deferred": sample.refused().deferred[:1]},
    {"baseline": sample.refused().baseline},
])  # fmt: skip
def test_loose_ends_are_not_green_either(changes: dict[str, Any]) -> None:
    found = tuple(sample.subjects_of(sample.CASES / sample.SSH / "pass.yaml"))
    rules = [rule for rule in load_pack(None).rules if rule.id == sample.SSH]
    judged = assess(found, load_pack(None).profiles, rules=rules)
    assert policy_report(judged, sample.context()).verdict.green
    report = policy_report(judged, sample.context(**changes))
    assert (report.verdict.green, report.verdict.exit_code) == (False, 0)


EMPTY = Assessment(rules=(), subjects=(), profiles=(), matrix={}, results=())


def test_nothing_judged_is_no_report() -> None:
    judged = sample.judged()
    for told, what in (
        (EMPTY, "no subject"),
        (replace(judged, subjects=(), profiles=(), matrix=dict.fromkeys(judged.matrix, "")), "no subject"),
        (replace(judged, rules=(), matrix={}, results=()), "no rule"),
    ):
        with pytest.raises(EmptyPopulationError, match=what) as raised:
            policy_report(told, sample.context())
        assert raised.value.exit_code == 2


def _without_a_letter(judged: Assessment) -> Assessment:
    return replace(judged, matrix=judged.matrix | {sample.SSH: judged.matrix[sample.SSH][:-1]})


def _without_a_rule(judged: Assessment) -> Assessment:
    return replace(judged, matrix={rule: line for rule, line in judged.matrix.items() if rule != sample.SSH})


def _all_passed(judged: Assessment) -> Assessment:
    return replace(judged, matrix={rule: "p" * len(line) for rule, line in judged.matrix.items()})


def _strange_letter(judged: Assessment) -> Assessment:
    return replace(judged, matrix=judged.matrix | {sample.SSH: "P" * len(judged.subjects)})


def _subject_twice(judged: Assessment) -> Assessment:
    return replace(judged, subjects=(judged.subjects[0], *judged.subjects[:-1]))


def _without_results(judged: Assessment) -> Assessment:
    return replace(judged, results=())


def _of_a_stranger(judged: Assessment) -> Assessment:
    first = judged.results[0]
    stranger = first._replace(subject=replace(first.subject, urn="urn:of:nobody"))
    return replace(judged, results=(*judged.results, stranger))


def _of_a_strange_rule(judged: Assessment) -> Assessment:
    return replace(judged, results=(*judged.results, judged.results[0]._replace(rule="no.such-rule")))


def _fewer_profiles(judged: Assessment) -> Assessment:
    return replace(judged, profiles=judged.profiles[:-1])


@pytest.mark.parametrize("spoil", [
    _without_a_letter, _without_a_rule, _all_passed, _strange_letter, _subject_twice, _without_results,
    _of_a_stranger, _of_a_strange_rule, _fewer_profiles,
])  # fmt: skip
def test_what_contradicts_itself_is_no_report(spoil: Callable[[Assessment], Assessment]) -> None:
    with pytest.raises(InconsistentReportError, match="reconcile"):
        policy_report(spoil(sample.judged()), sample.context())


@pytest.mark.parametrize("changes", [
    {"counts": sample.refused().counts | {"pass": sample.refused().counts["pass"] + 1}},
    {"counts": sample.refused().counts | {"pass": 0, "fail": 0}},
    {"verdict": sample.green().verdict},
    {"verdict": sample.refused().verdict.model_copy(update={"exit_code": 0})},
    {"population": sample.green().population},
    {"results": (*sample.refused().results, sample.refused().results[0].model_copy(update={"on": (9_999,)}))},
    {"results": tuple(r.model_copy(update={"blocks": False}) for r in sample.refused().results)},
    {"results": tuple(r.model_copy(update={"fingerprints": ("1",) * 99}) for r in sample.refused().results)},
])  # fmt: skip
def test_a_report_that_was_changed_by_hand_is_refused_when_read(changes: dict[str, Any]) -> None:
    spoilt = sample.refused().model_copy(update=changes)
    with pytest.raises(InconsistentReportError):
        check(spoilt)
    with pytest.raises(InconsistentReportError):
        from_json(to_json(spoilt))


@pytest.mark.parametrize("make", [sample.refused, sample.green])
def test_json_is_sorted_ascii_and_comes_back_equal(make: Callable[[], PolicyReport]) -> None:
    report = make()
    text = to_json(report)
    assert from_json(text) == report
    assert to_json(from_json(text)) == text
    assert text.isascii()
    jsonschema.Draft202012Validator(json.loads(policy_report_schema())).validate(json.loads(text))


@pytest.mark.parametrize("overlaps", [17, 19])
def test_sources_that_do_not_add_up_to_the_population_are_no_report(overlaps: int) -> None:
    report = sample.refused()
    population = report.population.model_copy(update={"overlaps": overlaps})
    with pytest.raises(
        InconsistentReportError, match="that several tell of, and 0 that none does; the population"
    ):
        check(report.model_copy(update={"population": population}))


def test_the_committed_schema_is_the_models() -> None:
    assert (ROOT / "docs" / "schemas" / FILE_NAME).read_text() == policy_report_schema()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"schema": "steward.policy-report/2"}', '{"schema"']
)
def test_what_is_no_report_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"validation error|Expecting"):
        from_json(text)


def test_a_cut_off_report_is_refused() -> None:
    with pytest.raises((ValueError, StewardError)):
        from_json(to_json(sample.refused())[:-40])


def test_a_hundred_rules_on_a_thousand_subjects_stay_small() -> None:
    text = to_json(sample.large())
    assert len(text) < 3_000_000, len(text)


def test_what_was_judged_as_of_another_moment_is_never_green() -> None:
    report = sample.green()
    then = replace(
        sample.context(), about=replace(sample.context().about, as_of=sample.NOW - timedelta(days=400))
    )
    pack = load_pack(None)
    rules = [rule for rule in pack.rules if rule.id == sample.SSH]
    found = tuple(sample.subjects_of(sample.CASES / sample.SSH / "pass.yaml"))
    again = policy_report(assess(found, pack.profiles, rules=rules), then)

    assert report.verdict.green
    assert (again.verdict.green, again.verdict.exit_code) == (False, 0)
    assert "all of it as of" in again.verdict.words
    assert again.counts == report.counts
    assert from_json(to_json(again)) == again
    for text in (to_html(again), to_markdown(again), to_oscal(again)):
        assert again.as_of is not None
        assert f"{again.as_of:%Y-%m-%d}" in text
    with pytest.raises(InconsistentReportError):
        check(again.model_copy(update={"as_of": None}))
