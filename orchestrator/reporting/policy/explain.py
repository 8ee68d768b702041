"""One pair of a report in full, for `steward policy explain RULE SUBJECT`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from orchestrator.errors import InputError
from orchestrator.reporting.escape import terminal, terminal_line
from orchestrator.reporting.humanise import instant, listed, plural
from orchestrator.reporting.policy.lookup import Lookup, Told
from orchestrator.reporting.policy.model import (
    LETTERS,
    PolicyReport,
    ReportedRule,
    ReportedSubject,
    ReportedWaiver,
)
from orchestrator.reporting.policy.words import MEANINGS, state_words, waiver_pairs

_LABEL: Final = 13
_NEAR: Final = 5


def explain(report: PolicyReport, rule: str, subject: str, earlier: Sequence[PolicyReport] = ()) -> str:
    """What the rule says of the subject and why, and what it said before; raises InputError.

    `subject` is an id, or a name that only one subject has; `earlier` are reports of the same stack.
    """
    lookup = Lookup(report)
    found = _rule(lookup, rule)
    lines = _lines(lookup, found, _place(report, found, subject), earlier)
    return "\n".join(terminal_line(line) for line in lines)


def _rule(lookup: Lookup, name: str) -> ReportedRule:
    if name in lookup.rules:
        return lookup.rules[name]
    near = get_close_matches(name, lookup.rules, n=_NEAR, cutoff=0.4) or sorted(lookup.rules)[:_NEAR]
    raise InputError(
        "policy",
        f"the report of run {terminal(lookup.report.run)} has no rule of that name",
        got=terminal(name),
        next_step=f"It has, among others: {terminal(', '.join(near))}",
    )


def _place(report: PolicyReport, rule: ReportedRule, name: str) -> int:
    """The subject with that id, else the only one with that name, of those that the rule reads if need be."""
    ids = {subject.id: place for place, subject in enumerate(report.subjects)}
    if name in ids:
        return ids[name]
    named = [
        place
        for place, subject in enumerate(report.subjects)
        if name in (subject.name, f"{subject.kind}:{subject.name}", f"{subject.type}:{subject.name}")
    ]
    meant = _meant(report, rule, named)
    if len(meant) == 1:
        return meant[0]
    if named:
        told = listed([report.subjects[place].id for place in meant], most=_NEAR)
        of = "" if len(meant) == len(named) else f" of those that {terminal(rule.id)} reads"
        problem, step = f"{plural(len(meant), 'subject')}{of} have that name", f"Name one by its id: {told}"
    else:
        names = sorted({subject.name for subject in report.subjects})
        near = get_close_matches(name, [*names, *ids], n=_NEAR, cutoff=0.4) or names[:_NEAR]
        problem, step = "the report has no such subject", f"It has, among others: {', '.join(near)}"
    raise InputError("policy", problem, got=terminal(name), next_step=terminal(step))


def _meant(report: PolicyReport, rule: ReportedRule, named: Sequence[int]) -> Sequence[int]:
    """Of subjects with one name, as a server, its firewall, its facts and its steps have, the rule's own.

    Those of its kind come first, of these the types that it reads, and of these where it applies.
    """
    line, subjects = report.matrix[rule.id], report.subjects
    for narrower in (
        [place for place in named if subjects[place].kind == rule.kind],
        [place for place in named if subjects[place].type in rule.types],
        [place for place in named if LETTERS[line[place]] != "not_applicable"],
    ):
        named = [place for place in named if place in narrower] or named
    return named


def _lines(lookup: Lookup, rule: ReportedRule, place: int, earlier: Sequence[PolicyReport]) -> Iterator[str]:
    report, subject = lookup.report, lookup.report.subjects[place]
    state, told = lookup.state(rule.id, place), lookup.told(rule.id, place)
    blocks = ", blocks" if any(each.result.blocks for each in told) else ""
    yield terminal(f"{rule.id} on {subject.name}: {state_words(state)}{blocks}")
    yield f"({MEANINGS[state]})"
    yield ""
    yield from _field("rule", f"{rule.title} ({rule.severity}, version {rule.version})")
    yield from _field("why", rule.rationale)
    yield from _field("subject", _subject(subject))
    for each in told:
        yield from _result(each)
    if not told:
        yield from _field("said", lookup.unsaid(rule, subject, state))
        yield from _field("witness", subject.witness or "not said")
    yield from _field("parameters", _parameters(rule, subject))
    yield from _field("enforcement", rule.enforcement.get(subject.profile, "not said"))
    yield from _field("waiver", _waiver(lookup, rule, told))
    for framework in report.frameworks:
        ids = rule.controls.get(framework.id, ())
        for control in ids:
            title = framework.controls.get(control, "")
            yield from _field("control", f"{framework.title} {control} {title}".rstrip())
    for fix in dict.fromkeys([each.fix for each in told] or [rule.remediation]):
        yield from _field("mend", fix)
    yield from _field("owner", f"{rule.owner}, reviewed {rule.reviewed_on}")
    yield from _history(report, rule, subject, state, earlier)


def _field(label: str, value: str) -> Iterator[str]:
    yield f"{label:<{_LABEL}}{terminal(value) or '–'}"


def _subject(subject: ReportedSubject) -> str:
    where = f", {subject.file}:{subject.line}" if subject.file else ""
    kind = f"{state_words(subject.kind)} {state_words(subject.type)}"
    return f"{subject.id} ({kind}{where}), profile {subject.profile}"


def _result(told: Told) -> Iterator[str]:
    result = told.result
    yield from _field("at", result.path) if result.path else ()
    yield from _field("observed", result.observed) if result.observed else ()
    yield from _field("expected", result.expected) if result.expected else ()
    yield from _field("said", result.message) if result.message else ()
    yield from _field("witness", told.witness or "not said")
    yield from _field("fingerprint", told.fingerprint) if told.fingerprint else ()


def _parameters(rule: ReportedRule, subject: ReportedSubject) -> str:
    values = rule.params.get(subject.profile, {})
    said = ", ".join(f"{name} {_value(value)}" for name, value in sorted(values.items()))
    return f"{said} (profile {subject.profile})" if said else "none"


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _waiver(lookup: Lookup, rule: ReportedRule, told: Sequence[Told]) -> str:
    used = [waiver for each in told if (waiver := lookup.waiver(each))]
    if used:
        return _excuse(used[0])
    idle = [each for each in lookup.report.waivers if each.rule == rule.id and each.state != "active"]
    return f"none in force; {_excuse(idle[0])}" if idle else "none"


def _excuse(waiver: ReportedWaiver) -> str:
    left = "" if waiver.days_left is None else f", {plural(waiver.days_left, 'day')} left"
    parts = [
        f"{waiver.id} is {waiver.state}{f' ({waiver.problem})' if waiver.problem else ''}",
        f"until {waiver.expires} UTC{left}" if waiver.expires else "without an end",
        f"owner {waiver.owner}, approver {waiver.approver or 'nobody'}",
        waiver_pairs(waiver),
        f"reason: {waiver.reason or 'none given'}",
        f"ticket {waiver.ticket}" if waiver.ticket else "",
        f"instead: {waiver.compensating_control}" if waiver.compensating_control else "",
    ]
    return "; ".join(part for part in parts if part)


def _history(
    report: PolicyReport,
    rule: ReportedRule,
    subject: ReportedSubject,
    state: str,
    earlier: Sequence[PolicyReport],
) -> Iterator[str]:
    """Oldest first; a run that did not have the pair says so, one whose report is gone tells its sums."""
    rows = [
        (each.ended_at, each.run, _then(each, rule, subject)) for each in earlier if each.run != report.run
    ]
    rows.append((report.ended_at, report.run, f"{state_words(state)} (this report)"))
    known = {run for _, run, _ in rows}
    for point in (each for each in report.trend if each.run not in known):
        fails = f"{point.counts.get('fail', 0)} fail over all pairs, {point.blocking} block"
        rows.append((point.at, point.run, f"{fails} (its report is not here)"))
    for number, (at, run, said) in enumerate(sorted(rows)):
        yield f"{'' if number else 'history':<{_LABEL}}{instant(at)}  {terminal(run)}  {terminal(said)}"


def _then(report: PolicyReport, rule: ReportedRule, subject: ReportedSubject) -> str:
    lookup = Lookup(report)
    places = [place for place, each in enumerate(report.subjects) if each.id == subject.id]
    if rule.id not in lookup.rules or not places:
        return "not judged: the rule or the subject was not there"
    version = lookup.rules[rule.id].version
    changed = f" (by version {version} of the rule)" if version != rule.version else ""
    return state_words(lookup.state(rule.id, places[0])) + changed
