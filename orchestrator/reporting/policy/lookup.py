"""Finding one pair of a report: its state, what was said of it, and how to say what was not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.reporting.policy.model import (
    LETTERS,
    Enforcement,
    PolicyReport,
    ReportedResult,
    ReportedRule,
    ReportedSubject,
    ReportedWaiver,
    State,
)
from orchestrator.reporting.tone import SEVERITIES
from policies.model import Steps
from policies.reach import Sort, not_its_step

_MOST_NAMED = 3
_UNJUDGED = frozenset("uex")


class Told(NamedTuple):
    """One result on one subject: a row of every list."""

    rule: ReportedRule
    subject: ReportedSubject
    place: int
    result: ReportedResult

    @property
    def fix(self) -> str:
        """How to mend this one, or any of its rule."""
        return self.result.remediation or self.rule.remediation

    @property
    def witness(self) -> str:
        """Who saw it."""
        return self.result.witness or self.subject.witness

    @property
    def fingerprint(self) -> str:
        """That of the offending values, '' where none was taken."""
        if not self.result.fingerprints:
            return ""
        return self.result.fingerprints[self.result.on.index(self.place)]


class Lookup:
    """A report by its names; made once for a format, since a report only lists."""

    def __init__(self, report: PolicyReport) -> None:
        self.report = report
        self.rules = {rule.id: rule for rule in report.rules}
        self.waivers = {waiver.id: waiver for waiver in report.waivers}
        self._names = {subject.id: subject.name for subject in report.subjects}
        self._results: dict[tuple[str, int], list[ReportedResult]] = {}
        for result in report.results:
            for place in result.on:
                self._results.setdefault((result.rule, place), []).append(result)

    def state(self, rule: str, place: int) -> State:
        """What came of a pair."""
        return LETTERS[self.report.matrix[rule][place]]

    def told(self, rule: str, place: int) -> list[Told]:
        """What was said of a pair, nothing for most passes."""
        subject = self.report.subjects[place]
        return [Told(self.rules[rule], subject, place, each) for each in self._results.get((rule, place), ())]

    def all_told(self) -> Iterator[Told]:
        """Every result on every subject, the worst severity first, then as the report lists them."""
        rank = {name: place for place, name in enumerate(SEVERITIES)}
        for result in sorted(self.report.results, key=lambda each: rank[self.rules[each.rule].severity]):
            for place in result.on:
                yield Told(self.rules[result.rule], self.report.subjects[place], place, result)

    def untold(self) -> Iterator[ReportedResult]:
        """Pairs that were not run and of which no result speaks, as the results that they amount to."""
        for rule in self.report.rules:
            groups: dict[tuple[str, Enforcement], list[int]] = {}
            line = self.report.matrix[rule.id]
            for place in places_of(line, "x"):
                if (rule.id, place) not in self._results:
                    subject = self.report.subjects[place]
                    level = rule.enforcement.get(subject.profile, "advisory")
                    groups.setdefault((self.unsaid(rule, subject, "not_run"), level), []).append(place)
            for (why, level), places in groups.items():
                yield ReportedResult(
                    rule=rule.id, on=tuple(places), state="not_run", enforcement=level, message=why
                )

    def name(self, subject: str) -> str:
        """The name of a subject by its id, '' where the population does not have it."""
        return self._names.get(subject, "")

    def waiver(self, told: Told) -> ReportedWaiver | None:
        """The exception that excuses a result, if one does."""
        return self.waivers.get(told.result.waiver)

    def unsaid(self, rule: ReportedRule, subject: ReportedSubject, state: State) -> str:
        """Why a pair is in a state of which no result speaks."""
        if state == "pass":
            return "the rule looked and found nothing"
        if state == "not_run":
            return _not_run(rule, subject)
        if rule.kind != subject.kind:
            return f"judges {_words(rule.kind)}; this is {_words(subject.kind)}"
        if subject.type in rule.types:
            steps = Steps(rule.steps.types, rule.steps.operations, rule.steps.sides)
            return not_its_step(steps, Sort(subject.type, subject.step_type, subject.operation))
        types = " or ".join(map(_words, rule.types)) if len(rule.types) <= _MOST_NAMED else "other types"
        return f"judges {types}; this is {_words(subject.type)}"


def places_of(line: str, letter: str) -> Iterator[int]:
    """Where a letter stands in a line of the matrix."""
    place = line.find(letter)
    while place >= 0:
        yield place
        place = line.find(letter, place + 1)


@dataclass(frozen=True)
class Hole:
    """Pairs that ended in no judgement, all for one reason: each of the rules on each of the subjects."""

    rules: tuple[ReportedRule, ...]
    state: State
    why: str
    places: tuple[int, ...]

    @property
    def pairs(self) -> int:
        """How many pairs."""
        return len(self.rules) * len(self.places)


def holes(lookup: Lookup) -> list[Hole]:
    """What was not judged and why: errors, unknowns and pairs that were not run, in that order."""
    merged: dict[tuple[State, str, tuple[int, ...]], list[ReportedRule]] = {}
    for rule in lookup.report.rules:
        for (state, why), places in _holes(lookup, rule).items():
            merged.setdefault((state, why, tuple(places)), []).append(rule)
    order = ("error", "unknown", "not_run")
    rows = [Hole(tuple(rules), state, why, on) for (state, why, on), rules in merged.items()]
    return sorted(rows, key=lambda row: order.index(row.state))


def _holes(lookup: Lookup, rule: ReportedRule) -> dict[tuple[State, str], list[int]]:
    found: dict[tuple[State, str], list[int]] = {}
    line = lookup.report.matrix[rule.id]
    if _UNJUDGED.isdisjoint(line):
        return found
    for place, letter in enumerate(line):
        if letter in _UNJUDGED:
            state = LETTERS[letter]
            results = [each.result for each in lookup.told(rule.id, place)]
            said = [each.message for each in results if each.state == state]
            why = said[0] if said else lookup.unsaid(rule, lookup.report.subjects[place], state)
            found.setdefault((state, why), []).append(place)
    return found


def _not_run(rule: ReportedRule, subject: ReportedSubject) -> str:
    if rule.enforcement.get(subject.profile) == "disabled":
        return f"profile {subject.profile} disables this rule"
    unread = f"no rule can read the type {subject.source_type or 'of this subject'}"
    usual = unread if subject.type == "unrecognised" else "the rule was not asked about this subject"
    return subject.left_out or usual


def _words(name: str) -> str:
    return name.replace("_", " ")


def suite_cases(lookup: Lookup, rule: ReportedRule) -> Iterator[tuple[int, State, list[Told]]]:
    """Every pair of a rule that applies: its place, its state and what was said."""
    for place, letter in enumerate(lookup.report.matrix[rule.id]):
        state = LETTERS[letter]
        if state != "not_applicable":
            yield place, state, lookup.told(rule.id, place)
