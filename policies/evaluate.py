"""Judge subjects by rules under profiles: one function for the pack, the command line and the tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from policies.assessment import LETTERS, WORST, Assessment
from policies.bench import Bench
from policies.facts import Facts, UnknownFactError
from policies.limits import WATCH, RuleTimeoutError
from policies.model import (
    CheckResult,
    Enforcement,
    Gap,
    Outcome,
    PackError,
    Phase,
    Rule,
    StackCheck,
    State,
    Subject,
    SubjectCheck,
)
from policies.profiles import Profile, Profiles
from policies.rules import all_rules

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
) -> Assessment:
    """Every rule on every subject: all pairs counted, and told where there is something to tell.

    `only`: ids of the subjects to judge; the others are there for rules that read all of them.
    """
    profiles = profiles.at(phase) if phase else profiles
    chosen = tuple(all_rules() if rules is None else rules)
    bout = _Bout(subjects, profiles, chosen, settled=settled, offline=phase is Phase.OFFLINE, only=only)
    bout.judge()
    return Assessment(
        rules=chosen,
        subjects=tuple(subjects),
        profiles=tuple(profile.name for profile in bout.profiles),
        matrix=bout.matrix(),
        results=tuple(result for pair in sorted(bout.results) for result in bout.results[pair]),
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
        self._subjects, self._rules, self._settled, self._offline = subjects, rules, settled, offline
        self._left_out = (
            set() if only is None else {n for n, each in enumerate(subjects) if each.urn not in only}
        )
        self._by_type: dict[str, list[int]] = defaultdict(list)
        for place, subject in enumerate(subjects):
            self._by_type[subject.type].append(place)

    def judge(self) -> None:
        """Fill in the results of every pair whose rule reads the subject's type, but for passes."""
        with WATCH.assessment():
            self._judge_all()

    def _judge_all(self) -> None:
        for number, rule in enumerate(self._rules):
            waiting = [place for place in self._read_by(rule) if place not in self._left_out]
            try:
                with WATCH.rule(rule.id):
                    check, params = self._check(rule), _Params(rule)
                    while waiting:
                        self._judge((waiting[-1], number), check, params)
                        waiting.pop()
            except RuleTimeoutError:
                late = TimeoutError(f"it did not end within {WATCH.seconds:g} s")
                for place in waiting:
                    self.results[place, number] = [self._bench((place, number)).error(late)]

    def of(self, pair: _Pair) -> Sequence[CheckResult]:
        """All results of a pair, also a pass, and of a type that the rule does not read."""
        if pair in self.results:
            return self.results[pair]
        bench = self._bench(pair)
        return [bench.passed() if bench.subject.type in bench.rule.subjects else bench.out_of_scope()]

    def matrix(self) -> Mapping[str, str]:
        """Rule id -> one letter a subject."""
        usual = bytes(
            _CODES[State.NOT_RUN if subject.type == "unrecognised" else State.NOT_APPLICABLE]
            for subject in self._subjects
        )
        rows = [bytearray(usual) for _ in self._rules]
        for row, rule in zip(rows, self._rules, strict=True):
            for place in self._read_by(rule):
                row[place] = _CODES[State.NOT_RUN if place in self._left_out else State.PASS]
        for (place, number), results in self.results.items():
            rows[number][place] = _CODES[min((result.state for result in results), key=WORST.index)]
        return {rule.id: row.decode("ascii") for rule, row in zip(self._rules, rows, strict=True)}

    def _read_by(self, rule: Rule) -> list[int]:
        """Places of the subjects that the rule reads, the last one first."""
        places = [place for type_ in rule.subjects for place in self._by_type.get(type_, ())]
        return sorted(places, reverse=True)

    def _bench(self, pair: _Pair) -> Bench:
        place, number = pair
        subject, profile = self._subjects[place], self.profiles[place]
        rule = self._rules[number]
        return Bench(rule, subject, profile, settled=self._settled, offline=self._offline)

    def _check(self, rule: Rule) -> SubjectCheck:
        """The check for one subject; one that raises where the rule raised when it read all subjects."""
        if rule.check is not None:
            return rule.check
        if rule.stack_check is None:
            raise PackError(f"{rule.id} has no check function")
        return _by_stack(rule.stack_check, [each for each in self._subjects if each.kind is rule.kind])

    def _judge(self, pair: _Pair, check: SubjectCheck, params: _Params) -> None:
        """One rule on one subject: at least one result or a pass, whatever happens in the rule."""
        place, _ = pair
        subject, profile = self._subjects[place], self.profiles[place]
        if profile.enforcement(params.rule.id) is Enforcement.DISABLED:
            reason = f"profile {profile.name} disables this rule"
            self.results[pair] = [self._bench(pair).not_run(reason, Enforcement.DISABLED)]
            return
        try:
            outcomes = _outcomes(check, subject, params.of(profile))
            if outcomes:
                self.results[pair] = self._bench(pair).results(outcomes)
        # A rule is arbitrary code over hostile input. Whatever it raises must become a blocking result with
        # the rule's name: through the engine's protocol it is an anonymous failure that loses all others.
        except Exception as error:  # noqa: BLE001
            self.results[pair] = [self._bench(pair).error(error)]


class _Params:
    """A rule's parameters under each profile, put together once."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._made: dict[str, Facts] = {}

    def of(self, profile: Profile) -> Facts:
        """The values that this profile gives the rule."""
        if profile.name not in self._made:
            self._made[profile.name] = profile.params(self.rule)
        return self._made[profile.name]


def _outcomes(check: SubjectCheck, subject: Subject, params: Facts) -> list[Outcome]:
    """What the check said before it ended or met an unknown value."""
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(check(subject, params))  # a list keeps what was said before the iterator raises
    except UnknownFactError as gap:
        outcomes.append(Gap.of(gap))
    return outcomes


def _by_stack(stack_check: StackCheck, subjects: Sequence[Subject]) -> SubjectCheck:
    """The check for each subject among those of its stack: two fleets that are judged at once are not one."""
    stacks: dict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        stacks[subject.stack].append(subject)
    checks: dict[str, SubjectCheck] = {}

    def check(subject: Subject, params: Facts) -> Iterable[Outcome]:
        if subject.stack not in checks:
            try:
                checks[subject.stack] = stack_check(stacks[subject.stack])
            except Exception as error:  # noqa: BLE001  # see _judge
                checks[subject.stack] = _raising(error)
        return checks[subject.stack](subject, params)

    return check


def _raising(error: Exception) -> SubjectCheck:
    def check(_subject: Subject, _params: Facts) -> Iterable[Outcome]:
        raise error

    return check
