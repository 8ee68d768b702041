"""A policy report for a terminal: the verdict, what blocks in full, the rest a line a rule, what is next."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from orchestrator.reporting.escape import terminal, terminal_line
from orchestrator.reporting.humanise import listed, plural
from orchestrator.reporting.policy.lookup import Told
from orchestrator.reporting.policy.model import PolicyReport, ReportedResult, ReportedRule
from orchestrator.reporting.policy.words import STATES, state_words
from orchestrator.reporting.tone import SEVERITIES

_MOST_RULES = 8
"""Whose findings are shown in full; whoever has more to mend mends these first and asks again."""
_FEW_RULES = 4
_MOST_OF_A_RULE = 2
_MOST_LINES = 12
"""Of what does not block."""
_MOST_WAIVERS = 5
_OPEN = ("fail", "error", "unknown")
_INDENT = "    "


def to_text(report: PolicyReport, width: int = 80, saved: str = "") -> str:
    """The report in lines of at most `width` columns; `saved` is the file with all of it, if there is one.

    Everything that blocks comes first, by severity; of equal findings of a rule the first ones stand for all.
    """
    told = _told(report)
    blocking = [each for each in told if each.result.blocks]
    rest = [each for each in told if not each.result.blocks]
    lines = _wrapped(report.verdict.words, width)
    lines += [*_blocking(blocking, width), *_open(rest, width)]
    counted = ", ".join(
        f"{report.counts[state]:,} {state_words(state)}" for state in STATES if report.counts[state]
    )
    lines += ["", *_wrapped(f"pairs: {counted}", width), *_excused(report, width)]
    for left in report.not_checked:
        said = f"not checked: {left.what}: {left.why}" + (f". {left.next_step}" if left.next_step else "")
        lines += _wrapped(said, width)
    return "\n".join([*lines, *_next(told, saved, width)]) + "\n"


def _excused(report: PolicyReport, width: int) -> Iterator[str]:
    """Which exceptions are in force, by whom and how long; those that end soonest first."""
    active = [each for each in report.waivers if each.state == "active"]
    ending = sorted(active, key=lambda each: (each.days_left is None, each.days_left or 0, each.id))
    for each in ending[:_MOST_WAIVERS]:
        left = "no end" if each.days_left is None else f"{plural(each.days_left, 'day')} left"
        said = f"waiver {each.id}: {each.rule}, excuses {plural(each.excused, 'pair')}"
        yield from _wrapped(f"{said}, approved by {each.approver or 'nobody'}, {left}", width, then="  ")
    more = len(ending) - _MOST_WAIVERS
    if more > 0:
        yield from _wrapped(f"and {plural(more, 'more waiver')} in force, which end later", width)


def _blocking(told: Sequence[Told], width: int) -> Iterator[str]:
    """Each rule with its first subjects in full, and how many more there are."""
    rules = [list(own) for _, own in groupby(told, key=lambda each: each.rule.id)]
    few = len(rules) <= _FEW_RULES
    for own in rules[:_MOST_RULES]:
        shown = own[: _MOST_OF_A_RULE if few and own[0].result.state == "fail" else 1]
        for each in shown:
            yield from ("", *_finding(each, width))
        more = own[len(shown) :]
        if more:
            yield from _wrapped(f"and {len(more):,} more: {_names(more)}", width, first=_INDENT)
    left = rules[_MOST_RULES:]
    if left:
        yield ""
        yield from _wrapped(f"{plural(len(left), 'more rule')} block the same way:", width)
        yield from _lines(left, width)


def _open(told: Sequence[Told], width: int) -> Iterator[str]:
    """What does not block, in one line a rule and state."""
    groups = [
        list(own)
        for _, own in groupby(
            told, key=lambda each: (each.rule.id, each.result.state, each.result.enforcement)
        )
    ]
    if groups:
        yield from ("", *_wrapped("Does not block:", width), *_lines(groups, width))


def _lines(groups: Sequence[Sequence[Told]], width: int) -> Iterator[str]:
    for own in groups[:_MOST_LINES]:
        rule, count = own[0].rule, f", {len(own):,} times" if len(own) > 1 else ""
        said = f"{rule.severity} {rule.id} {state_words(own[0].result.state)}{count}: {_names(own)}"
        yield from _wrapped(said, width, first="  ")
    if len(groups) > _MOST_LINES:
        yield from _wrapped(f"and {plural(len(groups) - _MOST_LINES, 'more rule')}", width, first="  ")


def _names(told: Sequence[Told]) -> str:
    return listed(list(dict.fromkeys(each.subject.name for each in told)))


def _next(told: Sequence[Told], saved: str, width: int) -> list[str]:
    """Where to go from here; commands stand on one line each, so that they can be copied."""
    if not told:
        return []
    first = told[0]
    if not saved:
        return [
            "",
            *_wrapped("next: judge again with --output DIR, which keeps the report in all formats", width),
        ]
    command = shlex.join(["steward", "policy", "explain", first.rule.id, first.subject.id, "--report", saved])
    return ["", "next:", f"  {terminal(command)}"]


def _told(report: PolicyReport) -> list[Told]:
    """What is open, by rank, and what has one rank by subject."""
    rules = {rule.id: rule for rule in report.rules}
    ranks: dict[tuple[bool, int, str, str, str], list[Told]] = {}
    for result in report.results:
        if result.state in _OPEN:
            rule, subjects = rules[result.rule], report.subjects
            rows = [Told(rule, subjects[place], place, result) for place in result.on]
            ranks.setdefault(_rank(rule, result), []).extend(rows)
    return [each for rank in sorted(ranks) for each in sorted(ranks[rank], key=lambda told: told.subject.id)]


def _rank(rule: ReportedRule, result: ReportedResult) -> tuple[bool, int, str, str, str]:
    severity = SEVERITIES.index(rule.severity)
    return not result.blocks, severity, rule.id, result.state, result.enforcement


def _finding(told: Told, width: int) -> list[str]:
    result = told.result
    place = f" {told.subject.file}:{told.subject.line}" if told.subject.file else ""
    stops = "blocks" if result.blocks else result.enforcement
    said = f"{told.rule.severity} {told.rule.id} {state_words(result.state)}, {stops}"
    rows = [
        ("at", result.path),
        ("observed", result.observed if result.state == "fail" else ""),
        ("expected", result.expected),
        ("why", result.message if not result.observed or result.state != "fail" else ""),
        ("fix", told.fix if result.state == "fail" else ""),
    ]
    lines = _wrapped(f"{said}: {told.subject.name}{place}", width, then="  ")
    for label, text in rows:
        if text:
            lines += _wrapped(text, width, first=f"{_INDENT}{label:<9} ", then=_INDENT + " " * 10)
    return lines


def _wrapped(text: str, width: int, *, first: str = "", then: str = "") -> list[str]:
    """Lines in which nothing acts: no character of the text, and no word that a line begins with."""
    more = then or f"{first}{first and '  '}"
    lines = textwrap.wrap(terminal(text), width, initial_indent=first, subsequent_indent=more)
    return [terminal_line(line) for line in lines]
