"""JUnit XML: a suite a rule, a case for every pair that applies; what is not a pass never looks like one."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from orchestrator.reporting.escape import xml_text
from orchestrator.reporting.humanise import iso
from orchestrator.reporting.policy.lookup import Lookup, Told, suite_cases
from orchestrator.reporting.policy.model import PolicyReport, ReportedRule, State
from orchestrator.reporting.policy.words import state_words

_LONGEST = 2_000


def to_junit(report: PolicyReport) -> str:
    """The XML: fail is a failure, error and a blocking unknown are errors, all else that is no pass is
    skipped with its reason. Pairs that do not apply are counted in a property of the suite."""
    lookup = Lookup(report)
    suites = [_suite(lookup, rule) for rule in report.rules]
    sums = [sum(each[place] for _, each in suites) for place in range(4)]
    name = _quoted(f"steward policies {report.stack}")
    head = (
        f'<testsuites name={name} tests="{sums[0]}" failures="{sums[1]}"'
        f' errors="{sums[2]}" skipped="{sums[3]}" time="0">'
    )
    lines = [line for suite, _ in suites for line in suite]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *lines, "</testsuites>"]) + "\n"


_Sums = tuple[int, int, int, int]
"""Tests, failures, errors, skipped."""


def _suite(lookup: Lookup, rule: ReportedRule) -> tuple[list[str], _Sums]:
    report, cases, counted = lookup.report, list[str](), [0, 0, 0, 0]
    for place, state, told in suite_cases(lookup, rule):
        subject = report.subjects[place]
        name = f"<testcase classname={_quoted(rule.id)} name={_quoted(f'{subject.name} ({subject.id})')}"
        name += f" file={_quoted(subject.file)}" if subject.file else ""
        name += f' line="{subject.line}"' if subject.line else ""
        counted[0] += 1
        if state == "pass":
            cases.append(f'{name} time="0"/>')
            continue
        element = _element(state, told)
        counted[{"failure": 1, "error": 2, "skipped": 3}[element]] += 1
        cases += [f'{name} time="0">', *_said(lookup, element, rule, place, state, told), "</testcase>"]
    beside = len(report.subjects) - counted[0]
    head = (
        f'<testsuite name={_quoted(rule.id)} tests="{counted[0]}" failures="{counted[1]}"'
        f' errors="{counted[2]}" skipped="{counted[3]}" time="0" timestamp="{iso(report.started_at)}">'
    )
    properties = [
        "<properties>",
        f'<property name="severity" value={_quoted(rule.severity)}/>',
        f'<property name="title" value={_quoted(rule.title)}/>',
        f'<property name="not_applicable" value="{beside}"/>',
        "</properties>",
    ]
    tests, failures, errors, skipped = counted
    return [head, *properties, *cases, "</testsuite>"], (tests, failures, errors, skipped)


def _element(state: State, told: list[Told]) -> str:
    if state == "fail":
        return "failure"
    if state == "error" or (state == "unknown" and any(each.result.blocks for each in told)):
        return "error"
    return "skipped"


def _said(
    lookup: Lookup, element: str, rule: ReportedRule, place: int, state: State, told: list[Told]
) -> Iterator[str]:
    reasons = [_reason(lookup, each) for each in told]
    reasons = reasons or [lookup.unsaid(rule, lookup.report.subjects[place], state)]
    told_type = f"{state_words(state)}{', blocks' if any(each.result.blocks for each in told) else ''}"
    message = f"{told_type}: {reasons[0]}"[:_LONGEST]
    body = "\n".join(line for each in told for line in _lines(each))
    yield f"<{element} type={_quoted(told_type)} message={_quoted(message)}>{_text(body)}</{element}>"


def _reason(lookup: Lookup, told: Told) -> str:
    waiver = lookup.waiver(told)
    reason = told.result.message or told.rule.title
    if waiver is None:
        return reason
    until = f" until {waiver.expires}" if waiver.expires else ""
    return f"{waiver.id}{until}, {waiver.reason} ({reason})"


def _lines(told: Told) -> Iterator[str]:
    result = told.result
    pairs = (
        *(("at", result.path), ("observed", result.observed), ("expected", result.expected)),
        *(("said", result.message), ("seen by", told.witness), ("fix", told.fix)),
    )
    for label, value in pairs:
        if value:
            yield f"{label}: {xml_text(value)[:_LONGEST]}"


def _quoted(value: str) -> str:
    return f'"{escape(xml_text(value))}"'


def _text(value: str) -> str:
    return escape(value, quote=False)
