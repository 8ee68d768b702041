"""Every pair as a row of one table for a spreadsheet, the open ones first; no cell acts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from io import StringIO

from orchestrator.reporting.escape import csv_cell
from orchestrator.reporting.policy.lookup import Lookup, Told
from orchestrator.reporting.policy.model import LETTERS, PolicyReport
from orchestrator.reporting.policy.words import STATES

COLUMNS = (
    *("state", "severity", "enforcement", "blocks", "rule", "title"),
    *("subject", "subject_id", "kind", "profile"),
    *("path", "observed", "expected", "message", "fix", "witness", "controls"),
    *("waiver", "waiver_expires", "fingerprint"),
)  # fmt: skip


def to_csv(report: PolicyReport) -> str:
    """RFC 4180 with a header; a pair that is wrong at two places has two rows, any other has one."""
    text, lookup = StringIO(), Lookup(report)
    cell = cache(csv_cell)  # most cells are the same few names
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in _rows(lookup):
        writer.writerow([cell(value) for value in row])
    return text.getvalue()


def _rows(lookup: Lookup) -> Iterator[tuple[str, ...]]:
    report = lookup.report
    places: dict[str, list[tuple[str, int]]] = {state: [] for state in STATES}
    for rule in report.rules:
        for place, letter in enumerate(report.matrix[rule.id]):
            places[LETTERS[letter]].append((rule.id, place))
    for pairs in places.values():
        for name, place in pairs:
            told = lookup.told(name, place)
            if not told:
                yield _silent(lookup, name, place)
            for each in told:
                yield _row(lookup, each)


def _silent(lookup: Lookup, name: str, place: int) -> tuple[str, ...]:
    rule, subject, state = lookup.rules[name], lookup.report.subjects[place], lookup.state(name, place)
    message = "" if state == "pass" else lookup.unsaid(rule, subject, state)
    return (
        *(state, rule.severity, rule.enforcement.get(subject.profile, ""), "no", name, rule.title),
        *(subject.name, subject.id, subject.kind, subject.profile, "", "", "", message, "", subject.witness),
        *(_controls(rule.controls), "", "", ""),
    )


def _row(lookup: Lookup, told: Told) -> tuple[str, ...]:
    rule, subject, result, waiver = told.rule, told.subject, told.result, lookup.waiver(told)
    expires = waiver.expires.isoformat() if waiver and waiver.expires else ""
    return (
        *(result.state, rule.severity, result.enforcement, "yes" if result.blocks else "no", rule.id),
        *(rule.title, subject.name, subject.id, subject.kind, subject.profile, result.path),
        *(result.observed, result.expected, result.message, told.fix, told.witness),
        *(_controls(rule.controls), result.waiver, expires, told.fingerprint),
    )


def _controls(controls: dict[str, tuple[str, ...]]) -> str:
    return "; ".join(f"{name} {', '.join(ids)}" for name, ids in controls.items())
