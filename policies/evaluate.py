"""Judge subjects by rules under profiles: one function for the pack, the command line and the tests."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Final

from policies.answers import NO_ANSWER, Apart, Broken, Row, result_of, row_of
from policies.assessment import LETTERS, WORST, Assessment
from policies.bench import Bench, Terms
from policies.checks import RuleTimeoutError, by_stack, outcomes_of
from policies.facts import Facts
from policies.limits import APART_SECONDS, WATCH
from policies.model import (
    CheckResult,
    Enforcement,
    Outcome,
    PackError,
    Phase,
    Rule,
    Scope,
    State,
    Subject,
    SubjectCheck,
)
from policies.profiles import Profiles
from policies.reach import Sort, read_by, read_what_decides, reads, sort_of
from policies.rules import all_rules
from policies.sharing import ALONE, WORTH, Sharing, helped
from policies.stopping import Stops

_CODES: Final = {state: ord(letter) for state, letter in LETTERS.items()}
_Pair = tuple[int, int]
"""Place of the subject, place of the rule."""


def evaluate(
    subjects: Sequence[Subject],
    profiles: Profiles,
    *,
    rules: Sequence[Rule] | None = None,
    settled: bool = False,
    phase: Phase | None = None,
) -> list[CheckResult]:
    """A result for every rule on every subject of its kind, in that order of subjects; no pair is left out.

    `settled`: the change is being made, so a value that is still unknown can wait no longer. `phase`: whose
    enforcement and parameters count, where a profile has others for it.
    """
    profiles = profiles.at(phase) if phase else profiles
    chosen = all_rules() if rules is None else rules
    bout = _Bout(subjects, profiles, chosen, settled=settled, offline=phase is Phase.OFFLINE)
    bout.judge()
    return [
        result
        for place, subject in enumerate(subjects)
        for number, rule in enumerate(chosen)
        if rule.kind is subject.kind
        for result in bout.of((place, number))
    ]


def assess(
    subjects: Sequence[Subject],
    profiles: Profiles,
    *,
    rules: Sequence[Rule] | None = None,
    settled: bool = False,
    phase: Phase | None = None,
    only: Collection[str] | None = None,
    sharing: Sharing = ALONE,
) -> Assessment:
    """Every rule on every subject: all pairs counted, and told where there is something to tell.

    `only`: ids of the subjects to judge; the others are there for rules that read all of them. `sharing`:
    among processes, where there is much to judge; what comes of it is the same.
    """
    profiles = profiles.at(phase) if phase else profiles
    chosen = tuple(all_rules() if rules is None else rules)
    bout = _Bout(subjects, profiles, chosen, settled=settled, offline=phase is Phase.OFFLINE, only=only)
    bout.judge(sharing)
    return Assessment(
        rules=chosen,
        subjects=tuple(subjects),
        profiles=tuple(profile.name for profile in bout.profiles),
        matrix=bout.matrix(),
        results=bout.in_order(),
    )


class _Bout:
    """All rules against all subjects: rule by rule, so that what a rule needs is made ready once."""

    def __init__(
        self,
        subjects: Sequence[Subject],
        profiles: Profiles,
        rules: Sequence[Rule],
        *,
        settled: bool,
        offline: bool,
        only: Collection[str] | None = None,
    ) -> None:
        self.results: dict[_Pair, list[CheckResult]] = {}
        self.profiles = [profiles.choose(subject) for subject in subjects]
        self._subjects, self._rules = subjects, rules
        self._terms = [Terms(rule, settled=settled, offline=offline) for rule in rules]
        self._left_out = (
            set() if only is None else {n for n, each in enumerate(subjects) if each.urn not in only}
        )
        self._stops, self._apart_seconds = Stops(), APART_SECONDS
        by_sort: dict[Sort, list[int]] = defaultdict(list)
        for place, subject in enumerate(subjects):
            by_sort[sort_of(subject)].append(place)
        self._read = [read_by(rule, by_sort) for rule in rules]

    def judge(self, sharing: Sharing = ALONE) -> None:
        """Fill in the results of every pair whose rule reads such subjects, but for passes."""
        shared = self._shared() if sharing.processes > 1 else []
        own = [number for number in range(len(self._rules)) if number not in {*shared}]
        with helped(sharing.processes, shared, self._rows, WATCH) as team, WATCH.assessment(), self._stops:
            if len(team) and sharing.meanwhile:
                sharing.meanwhile(self._subjects, [profile.name for profile in self.profiles])
            for number in chain(own, team.rules()):
                self._judge_by(number)
                self._stops.heed()
            for number, rows in team.answers().items():
                self._take(number, rows)
            self._stops.heed()
            for number in team.lost():
                self._lose(number, team.endings())

    def _shared(self) -> list[int]:
        """Rules that any copy of this process can judge by, those with most subjects first; none if few."""
        pairs = {number: sum(map(len, read)) for number, read in enumerate(self._read)}
        if sum(pairs.values()) < WORTH:
            return []
        ours = [n for n, rule in enumerate(self._rules) if pairs[n] and (rule.check or rule.stack_check)]
        return sorted(ours, key=lambda number: (-pairs[number], number))

    def _judge_by(self, number: int) -> None:
        """One rule on all that it reads."""
        rule, (own, perhaps_own) = self._rules[number], self._read[number]
        for place in self._to_judge(perhaps_own):
            self._judge((place, number), read_what_decides(rule.steps))
        waiting = self._to_judge(own)
        if rule.apart is not None:
            self._judge_apart(number, rule, rule.apart, waiting)
        else:
            self._judge_here(number, rule, waiting)

    def _rows(self, number: int) -> list[tuple[int, list[Row]]]:
        """What comes of a rule, told to the process that this one is a copy of."""
        self._judge_by(number)
        places = chain(*self._read[number])
        found = ((place, self.results.get((place, number))) for place in places)
        return [(place, list(map(row_of, results))) for place, results in found if results]

    def _take(self, number: int, told: Sequence[tuple[int, list[Row]]]) -> None:
        """What a copy of this process told."""
        rule = self._rules[number]
        for place, rows in told:
            subject, profile = self._subjects[place], self.profiles[place].name
            self.results[place, number] = [result_of(row, rule, subject, profile) for row in rows]

    def _lose(self, number: int, ending: str) -> None:
        """A copy of this process ended while it judged by the rule: nobody knows what it would have said."""
        for place in self._to_judge([*chain(*self._read[number])]):
            subject, (params, bench) = self._subjects[place], self._terms_of(place, number)
            why = f"the process that judged by it ended by {ending}"
            lost = _disabled(bench, subject) if params is None else bench.broken(subject, NO_ANSWER, why)
            self.results[place, number] = [lost]

    def _judge_here(self, number: int, rule: Rule, waiting: list[int]) -> None:
        if not waiting:  # then a rule need not read its stack either
            return
        try:
            with WATCH.rule(rule.id):
                check = self._check(rule)
                while waiting:
                    self._judge((waiting[-1], number), check)
                    waiting.pop()
        except RuleTimeoutError:
            late = TimeoutError(f"it did not end within {WATCH.seconds:g} s")
            for place in waiting:
                _, bench = self._terms_of(place, number)
                self.results[place, number] = [bench.error(self._subjects[place], late)]

    def _judge_apart(self, number: int, rule: Rule, apart: Apart, waiting: Sequence[int]) -> None:
        """One rule that runs in a process of its own, on all its subjects at once."""
        pairs, asked = [], []
        for place in waiting:
            params, bench = self._terms_of(place, number)
            if params is None:
                self.results[place, number] = [_disabled(bench, self._subjects[place])]
            else:
                asked.append((place, bench))
                pairs.append((self._subjects[place], params))
        if not asked:
            return
        among = self._of_kind(rule) if rule.scope is Scope.STACK else None
        answers: Sequence[Sequence[Outcome] | Broken]
        if self._apart_seconds > 0:  # the whole time then: a rule is not blamed for those before it
            began = time.monotonic()
            answers = apart.judge(pairs, among, WATCH.seconds, self)
            self._apart_seconds -= time.monotonic() - began
        else:
            late = f"own rules together did not end within {APART_SECONDS:g} s"
            answers = [Broken("TimeoutError", late)] * len(pairs)
        for (place, bench), answer in zip(asked, answers, strict=True):
            subject = self._subjects[place]
            if isinstance(answer, Broken):
                self.results[place, number] = [bench.broken(subject, answer.type, answer.text)]
            elif answer:
                self.results[place, number] = bench.results(subject, answer)

    def of(self, pair: _Pair) -> Sequence[CheckResult]:
        """All results of a pair, also a pass, and of what the rule does not read."""
        if pair in self.results:
            return self.results[pair]
        place, number = pair
        subject, (_, bench) = self._subjects[place], self._terms_of(place, number)
        silent = reads(bench.rule, sort_of(subject)) is False
        return [bench.out_of_scope(subject) if silent else bench.passed(subject)]

    def matrix(self) -> Mapping[str, str]:
        """Rule id -> one letter a subject."""
        not_applicable, not_run = _CODES[State.NOT_APPLICABLE], _CODES[State.NOT_RUN]
        types = [subject.type for subject in self._subjects]
        usual = bytes([not_run if each == "unrecognised" else not_applicable for each in types])
        rows = {number: bytearray(usual) for number, read in enumerate(self._read) if any(read)}
        silent, passed = usual.decode("ascii"), _CODES[State.PASS]
        for number, row in rows.items():
            for place in chain(*self._read[number]):
                row[place] = not_run if place in self._left_out else passed
        for (place, number), results in self.results.items():
            if len(results) == 1:
                rows[number][place] = _CODES[results[0].state]
            else:
                rows[number][place] = _CODES[min((each.state for each in results), key=WORST.index)]
        return {
            rule.id: rows[number].decode("ascii") if number in rows else silent
            for number, rule in enumerate(self._rules)
        }

    def in_order(self) -> tuple[CheckResult, ...]:
        """All results, subject by subject and rule by rule."""
        rules = len(self._rules)
        found = {place * rules + number: results for (place, number), results in self.results.items()}
        return tuple(result for pair in sorted(found) for result in found[pair])

    def _to_judge(self, places: list[int]) -> list[int]:
        """All but those that are left out, the last one first."""
        return [place for place in reversed(places) if place not in self._left_out]

    def _terms_of(self, place: int, number: int) -> tuple[Facts | None, Bench]:
        """The rule's parameters for this subject, None where its profile disables it, and the bench."""
        return self._terms[number].of(self.profiles[place])

    def _check(self, rule: Rule) -> SubjectCheck:
        """The check for one subject; one that raises where the rule raised when it read all subjects."""
        if rule.check is not None:
            return rule.check
        if rule.stack_check is None:
            raise PackError(f"{rule.id} has no check function")
        return by_stack(rule.stack_check, self._of_kind(rule))

    def _of_kind(self, rule: Rule) -> list[Subject]:
        return [each for each in self._subjects if each.kind is rule.kind]

    def _judge(self, pair: _Pair, check: SubjectCheck) -> None:
        """One rule on one subject: at least one result or a pass, whatever happens in the rule."""
        place, number = pair
        subject, (params, bench) = self._subjects[place], self._terms_of(place, number)
        if params is None:
            self.results[pair] = [_disabled(bench, subject)]
            return
        try:
            outcomes = outcomes_of(check, subject, params)
            if outcomes:
                self.results[pair] = bench.results(subject, outcomes)
        # A rule is arbitrary code over hostile input. Whatever it raises, SystemExit too, must become a
        # blocking result with the rule's name: through the engine's protocol it is an anonymous failure that
        # loses all others.
        except BaseException as error:
            if isinstance(error, RuleTimeoutError) or self._stops.came:
                raise
            self.results[pair] = [bench.error(subject, error)]


def _disabled(bench: Bench, subject: Subject) -> CheckResult:
    """Of a rule that the subject's profile disables."""
    reason = f"profile {bench.profile.name} disables this rule"
    return bench.not_run(subject, reason, Enforcement.DISABLED)
