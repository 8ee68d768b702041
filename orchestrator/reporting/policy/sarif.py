"""SARIF 2.1.0 for code scanning: everything that is open, and what is excused as a suppression."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from orchestrator.reporting.escape import sarif_text, visible
from orchestrator.reporting.humanise import iso, listed, plural
from orchestrator.reporting.policy.lookup import Lookup, Told, holes
from orchestrator.reporting.policy.model import PolicyReport, ReportedRule, ReportedWaiver
from orchestrator.reporting.policy.words import state_words

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SCORES: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
"""`security-severity`, by which code hosts rank; the middle of each band they draw."""
_LISTED: Final = ("fail", "error", "unknown", "waived", "baselined")
MOST: Final = 5_000
"""Results beyond which code hosts cut a log."""


def to_sarif(report: PolicyReport) -> str:
    """The log; passes and pairs that do not apply are counted in its properties and not listed.

    Unknown, error and not-run pairs are results of kind `fail`, since viewers hide the other kinds and a
    hidden one reads as a pass; `properties.state` says which it is. What was not run comes last, one result a
    pair, or one a rule and reason where there are very many: it then lists its subjects in its properties.
    """
    lookup = Lookup(report)
    places = {rule.id: place for place, rule in enumerate(report.rules)}
    results = [
        _result(lookup, told, places[told.rule.id])
        for told in lookup.all_told()
        if told.result.state in _LISTED
    ]
    results += _not_run(lookup, places, MOST - len(results))
    run = {
        "tool": {"driver": _driver(report)},
        "automationDetails": {"id": visible(f"steward-policy/{report.stack}/{report.run}")},
        "invocations": [_invocation(lookup)],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "stack": visible(report.stack),
            "phase": report.phase,
            "counts": dict(report.counts),
            "rules": len(report.rules),
            "subjects": len(report.subjects),
            "verdict": sarif_text(report.verdict.words),
        },
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, sort_keys=True, separators=(",", ":")) + "\n"


def _driver(report: PolicyReport) -> dict[str, Any]:
    driver: dict[str, Any] = {"name": "Steward", "rules": [_rule(rule) for rule in report.rules]}
    if report.versions.get("steward"):
        driver["version"] = visible(report.versions["steward"])
    return driver


def _rule(rule: ReportedRule) -> dict[str, Any]:
    controls = [f"{name}/{each}" for name, ids in rule.controls.items() for each in ids]
    return {
        "id": visible(rule.id),
        "shortDescription": {"text": sarif_text(rule.title) or "–"},
        "fullDescription": {"text": sarif_text(rule.rationale) or "–"},
        "help": {"text": sarif_text(rule.remediation) or "–"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": sorted({"security", rule.kind, *map(visible, controls)}),
            "problem.severity": {"error": "error", "warning": "warning"}.get(
                _LEVELS[rule.severity], "recommendation"
            ),
            "security-severity": _SCORES[rule.severity],
            "severity": rule.severity,
            "owner": visible(rule.owner),
            "reviewed_on": rule.reviewed_on.isoformat(),
            "rule_version": rule.version,
        },
    }


def _result(lookup: Lookup, told: Told, index: int) -> dict[str, Any]:
    rule, result = told.rule, told.result
    found: dict[str, Any] = {
        "ruleId": visible(rule.id),
        "ruleIndex": index,
        "kind": "fail",
        "level": "note" if result.state == "not_run" else _LEVELS[rule.severity],
        "message": {"text": _message(told)},
        "locations": [_location(lookup.report, told)],
        "partialFingerprints": {"stewardPair/v1": visible(f"{rule.id}@{told.subject.id}@{result.path}")},
        "properties": {
            key: value
            for key, value in (
                ("state", result.state),
                ("enforcement", result.enforcement),
                ("blocks", result.blocks),
                ("profile", visible(told.subject.profile)),
                ("path", visible(result.path)),
                ("observed", visible(result.observed)),
                ("expected", visible(result.expected)),
                ("witness", visible(told.witness)),
                ("remediation", visible(told.result.remediation)),
            )
            if value != ""
        },
    }
    if told.fingerprint:
        found["partialFingerprints"]["stewardValues/v1"] = visible(told.fingerprint)
    if result.state in ("waived", "baselined"):
        found["suppressions"] = [_suppression(result.state, lookup.waiver(told))]
    return found


def _not_run(lookup: Lookup, places: Mapping[str, int], room: int) -> Iterator[dict[str, Any]]:
    """Every pair that was not run, with its own reason; `room` is how many results code hosts still take."""
    report = lookup.report
    found = [each for each in report.results if each.state == "not_run"] + list(lookup.untold())
    grouped = sum(len(each.on) for each in found) > room
    for result in found:
        rule, index = lookup.rules[result.rule], places[result.rule]
        for place in result.on[:1] if grouped else result.on:
            told = Told(rule, report.subjects[place], place, result)
            one = _result(lookup, told, index)
            if grouped and len(result.on) > 1:
                names = f"{told.subject.name} and {len(result.on) - 1:,} more"
                one["message"] = {"text": _message(told, names)}
                one["properties"]["pairs"] = len(result.on)
                one["properties"]["subjects"] = [visible(report.subjects[on].id) for on in result.on]
            yield one


def _message(told: Told, subjects: str = "") -> str:
    """What is wrong with a subject, or with several under the names that are given."""
    result = told.result
    state = "" if result.state in ("fail", "waived", "baselined") else f"{state_words(result.state)}: "
    where = f"{result.path}: " if result.path else ""
    wanted = f"; expected {result.expected}" if result.expected else ""
    text = f"{subjects or told.subject.name}: {state}{where}{result.message or told.rule.title}{wanted}"
    return sarif_text(text)


def _location(report: PolicyReport, told: Told) -> dict[str, Any]:
    subject = told.subject
    found: dict[str, Any] = {
        "logicalLocations": [
            {
                "name": visible(subject.name),
                "fullyQualifiedName": visible(subject.id),
                "kind": "resource" if subject.kind in ("resource", "step") else "object",
            }
        ]
    }
    file = subject.file or report.fleet_file
    if file:
        found["physicalLocation"] = {"artifactLocation": {"uri": _uri(file)}}
        # Code hosts show a result at a line or not at all.
        found["physicalLocation"]["region"] = {"startLine": max(1, subject.line)}
    return found


def _uri(path: str) -> str:
    """A relative reference; a first part with a colon in it would be read as a scheme."""
    return quote(visible(path).lstrip("/"), safe="/").replace(":", "%3A")


def _suppression(state: str, waiver: ReportedWaiver | None) -> dict[str, Any]:
    if waiver is None:
        reason = "in the baseline" if state == "baselined" else "waived"
        return {"kind": "external", "status": "accepted", "justification": reason}
    return {
        "kind": "external",
        "status": "accepted" if waiver.state == "active" else "rejected",
        "justification": sarif_text(waiver.reason) or "no reason given",
        "properties": {
            "waiver": visible(waiver.id),
            "owner": visible(waiver.owner),
            "approver": visible(waiver.approver),
            "ticket": visible(waiver.ticket),
            "expires": waiver.expires.isoformat() if waiver.expires else "",
            "days_left": waiver.days_left,
            "compensating_control": visible(waiver.compensating_control),
        },
    }


def _invocation(lookup: Lookup) -> dict[str, Any]:
    report = lookup.report
    found: dict[str, Any] = {
        "executionSuccessful": not report.counts["error"],
        "exitCode": report.verdict.exit_code,
        "startTimeUtc": iso(report.started_at),
        "endTimeUtc": iso(report.ended_at),
        "account": visible(report.actor),
        "toolExecutionNotifications": list(_notifications(lookup)),
    }
    if report.command:
        found["arguments"] = [visible(each) for each in report.command[1:]]
        found["commandLine"] = visible(" ".join(report.command))
    return found


def _notifications(lookup: Lookup) -> Iterator[dict[str, Any]]:
    """A rule that broke, and everything that was not looked at: also pairs of which no result speaks."""
    for hole in holes(lookup):
        if hole.state in ("error", "not_run"):
            ids = [rule.id for rule in hole.rules]
            on = plural(len(hole.places), "subject")
            text = f"{listed(ids, most=9)} on {on}: {state_words(hole.state)}: {hole.why}"
            found: dict[str, Any] = {
                "level": "error" if hole.state == "error" else "warning",
                "message": {"text": sarif_text(text)},
            }
            yield found | ({"associatedRule": {"id": visible(ids[0])}} if len(ids) == 1 else {})
    for each in lookup.report.not_checked:
        text = f"not checked: {each.what}: {each.why}. {each.next_step}".rstrip()
        yield {"level": "warning", "message": {"text": sarif_text(text)}}
