"""A policy report for a terminal: the verdict, what blocks with its fix, and what was counted."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from orchestrator.reporting.columns import shorten
from orchestrator.reporting.escape import terminal_line
from orchestrator.reporting.humanise import plural
from orchestrator.reporting.policy.lookup import Lookup, Told
from orchestrator.reporting.policy.model import PolicyReport
from orchestrator.reporting.policy.words import STATES, state_words
from orchestrator.reporting.tone import SEVERITIES

_MOST = 40
_OPEN = ("fail", "error", "unknown")
_INDENT = "    "


def to_text(report: PolicyReport, width: int = 80) -> str:
    """The report in lines of at most `width` columns; the whole of it is in the other formats."""
    lines = textwrap.wrap(terminal_line(report.verdict.words), width)
    open_ = sorted(_told(report), key=_rank)
    for told in open_[:_MOST]:
        lines += ["", *_finding(told, width)]
    if len(open_) > _MOST:
        lines += ["", f"and {plural(len(open_) - _MOST, 'more finding')}: see --json or --output"]
    counted = ", ".join(
        f"{report.counts[state]:,} {state_words(state)}" for state in STATES if report.counts[state]
    )
    lines += ["", *textwrap.wrap(f"pairs: {counted}", width)]
    for left in report.not_checked:
        said = f"not checked: {left.what}: {left.why}" + (f". {left.next_step}" if left.next_step else "")
        lines += textwrap.wrap(terminal_line(said), width)
    return "\n".join(lines) + "\n"


def _told(report: PolicyReport) -> Iterator[Told]:
    rules = Lookup(report).rules
    for result in report.results:
        if result.state in _OPEN:
            for place in result.on:
                yield Told(rules[result.rule], report.subjects[place], place, result)


def _rank(told: Told) -> tuple[bool, int, str, str]:
    severity = SEVERITIES.index(told.rule.severity)
    return not told.result.blocks, severity, told.rule.id, told.subject.id


def _finding(told: Told, width: int) -> list[str]:
    result = told.result
    place = f" {told.subject.file}:{told.subject.line}" if told.subject.file else ""
    stops = "blocks" if result.blocks else result.enforcement
    said = f"{told.rule.severity} {told.rule.id} {state_words(result.state)}, {stops}"
    rows = [
        ("at", result.path),
        ("observed", result.observed),
        ("expected", result.expected),
        ("why", result.message if not result.observed or result.state != "fail" else ""),
        ("fix", told.fix if result.state == "fail" else ""),
    ]
    lines = [shorten(terminal_line(f"{said}: {told.subject.name}{place}"), width)]
    for label, text in rows:
        if text:
            lines += textwrap.wrap(
                terminal_line(text), width,
                initial_indent=f"{_INDENT}{label:<9} ", subsequent_indent=_INDENT + " " * 10,
            )  # fmt: skip
    return lines
