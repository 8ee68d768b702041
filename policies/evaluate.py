"""Judge subjects by rules under profiles: one function for the pack, the command line and the tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from policies.facts import Facts, UnknownFactError, shown
from policies.model import (
    CheckResult,
    Enforcement,
    Finding,
    Gap,
    Kind,
    NotApplicable,
    OnUnknown,
    Outcome,
    PackError,
    Rule,
    State,
    Subject,
    SubjectCheck,
)
from policies.profiles import Profile, Profiles
from policies.rules import all_rules

_MOST_NAMED: Final = 3
_PLANNED: Final = (Kind.RESOURCE, Kind.STEP)
"""Kinds whose values the engine may not know before it makes them."""


def evaluate(
    subjects: Sequence[Subject],
    profiles: Profiles,
    *,
    rules: Sequence[Rule] | None = None,
    settled: bool = False,
) -> list[CheckResult]:
    """Every rule on every subject, in that order of subjects; no pair is left out.

    `settled`: the change is being made, so a value that is still unknown can wait no longer.
    """
    chosen = all_rules() if rules is None else rules
    checks = _Checks(subjects)
    results: list[CheckResult] = []
    for subject in subjects:
        profile = profiles.choose(subject)
        for rule in chosen:
            results += _judge(rule, subject, profile, checks, settled=settled)
    return results


def _judge(
    rule: Rule, subject: Subject, profile: Profile, checks: _Checks, *, settled: bool
) -> list[CheckResult]:
    """One rule on one subject: at least one result, whatever happens in the rule."""
    bench = _Bench(rule, subject, profile, settled=settled)
    if profile.enforcement(rule.id) is Enforcement.DISABLED:
        return [bench.not_run(f"profile {profile.name} disables this rule", Enforcement.DISABLED)]
    if subject.type not in rule.subjects:
        return [bench.out_of_scope()]
    try:
        outcomes = _outcomes(checks.of(rule), subject, profile.params(rule))
    # A rule is arbitrary code over hostile input. Whatever it raises must become a blocking result with the
    # rule's name: through the engine's protocol it is an anonymous failure that loses all other results.
    except Exception as error:  # noqa: BLE001
        return [bench.error(error)]
    return bench.results(outcomes)


def complete(
    results: Iterable[CheckResult],
    subjects: Sequence[Subject],
    profiles: Profiles,
    rules: Sequence[Rule] | None = None,
) -> list[CheckResult]:
    """Results plus a `not_run` for each pair without one, so that counts reconcile after an early end."""
    found = list(results)
    seen = {(result.rule, result.subject.urn) for result in found}
    for subject in subjects:
        profile = profiles.choose(subject)
        for rule in all_rules() if rules is None else rules:
            if (rule.id, subject.urn) not in seen:
                bench = _Bench(rule, subject, profile, settled=False)
                found.append(bench.not_run("the run ended before this rule", profile.enforcement(rule.id)))
    return found


class _Checks:
    """The check of each rule, where those that look at the whole stack read it once."""

    def __init__(self, stack: Sequence[Subject]) -> None:
        self._stack = stack
        self._made: dict[str, SubjectCheck] = {}

    def of(self, rule: Rule) -> SubjectCheck:
        """The check for one subject; raises whatever the rule raises when it reads the stack."""
        if rule.check is not None:
            return rule.check
        if rule.stack_check is None:
            raise PackError(f"{rule.id} has no check function")
        if rule.id not in self._made:
            self._made[rule.id] = rule.stack_check(self._stack)
        return self._made[rule.id]


def _outcomes(check: SubjectCheck, subject: Subject, params: Facts) -> list[Outcome]:
    """What the check said before it ended or met an unknown value."""
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(check(subject, params))  # a list keeps what was said before the iterator raises
    except UnknownFactError as gap:
        outcomes.append(Gap.of(gap))
    return outcomes


class _Bench:
    """Words a result for one rule, subject and profile."""

    def __init__(self, rule: Rule, subject: Subject, profile: Profile, *, settled: bool) -> None:
        self.rule, self.subject, self.profile, self.settled = rule, subject, profile, settled

    def results(self, outcomes: Sequence[Outcome]) -> list[CheckResult]:
        results = [self._fail(said) for said in outcomes if isinstance(said, Finding)]
        gaps = [said for said in outcomes if isinstance(said, Gap)]
        if gaps:
            results.append(self._unknown(gaps))
        if not results:
            reasons = [said.reason for said in outcomes if isinstance(said, NotApplicable)]
            if reasons:
                return [self._result(State.NOT_APPLICABLE, message=reasons[0])]
            return [self._result(State.PASS)]
        return results

    def out_of_scope(self) -> CheckResult:
        if self.subject.type == "unrecognised":
            kind = shown(self.subject.source_type)
            return self.not_run(f"no rule can read resources of type {kind}", Enforcement.ADVISORY)
        judged = (
            " or ".join(self.rule.subjects) if len(self.rule.subjects) <= _MOST_NAMED else "other resources"
        )
        return self._result(
            State.NOT_APPLICABLE,
            message=f"judges {judged.replace('_', ' ')}; this is a {self.subject.type.replace('_', ' ')}",
        )

    def not_run(self, reason: str, enforcement: Enforcement) -> CheckResult:
        return self._result(State.NOT_RUN, enforcement, message=reason)

    def error(self, error: Exception) -> CheckResult:
        text = f"rule {self.rule.id} could not judge: {type(error).__name__}: {shown(str(error))}"
        return self._result(
            State.ERROR,
            Enforcement.MANDATORY,
            message=f"{shown(self.subject.name)}: {text}. Fix: correct the value, or tell {self.rule.owner}.",
        )

    def _fail(self, finding: Finding) -> CheckResult:
        return self._result(
            State.FAIL,
            path=finding.path,
            observed=finding.observed,
            expected=finding.expected,
            message=(
                f"{shown(self.subject.name)}: {finding.path}: {finding.problem}; "
                f"expected {finding.expected}. Fix: {finding.fix or self.rule.remediation}"
            ),
            remediation=finding.fix or self.rule.remediation,
            witness=finding.witness,
        )

    def _unknown(self, gaps: Sequence[Gap]) -> CheckResult:
        paths = ", ".join(gap.path for gap in gaps[:_MOST_NAMED])
        paths += f" and {len(gaps) - _MOST_NAMED} more" if len(gaps) > _MOST_NAMED else ""
        enforcement = self._when_unknown(gaps)
        then = {
            Enforcement.DEFERRED: "Judged at up, before the resource is made.",
            Enforcement.MANDATORY: f"Fix: {self._how_to_know()}.",
        }.get(enforcement, "Not counted as passed.")
        return self._result(
            State.UNKNOWN,
            enforcement,
            path=gaps[0].path,
            observed="unknown",
            message=(
                f"{shown(self.subject.name)}: {paths}: not known{self._why(gaps)}; {self.rule.title}? {then}"
            ),
        )

    def _why(self, gaps: Sequence[Gap]) -> str:
        reason = next((gap.reason for gap in gaps if gap.reason), "")
        if reason:
            return f" ({shown(reason)})"
        return " at preview" if self.rule.kind in _PLANNED else ""

    def _how_to_know(self) -> str:
        if self.rule.kind in _PLANNED:
            return "give it as a plain value that preview can see"
        return f"make it known, then judge again; {self.rule.remediation}".rstrip(".")

    def _when_unknown(self, gaps: Sequence[Gap]) -> Enforcement:
        """Block, wait or warn; never stronger than what the profile makes of a plain failure."""
        usual = self.profile.enforcement(self.rule.id)
        may_wait = self.rule.on_unknown is OnUnknown.DEFER or all(gap.settled_at_up for gap in gaps)
        if usual is Enforcement.ADVISORY or self.rule.on_unknown is OnUnknown.WARN:
            return Enforcement.ADVISORY
        return Enforcement.DEFERRED if may_wait and not self.settled else usual

    def _result(
        self,
        state: State,
        enforcement: Enforcement | None = None,
        *,
        path: str = "",
        observed: str = "",
        expected: str = "",
        message: str = "",
        remediation: str = "",
        witness: str = "",
    ) -> CheckResult:
        return CheckResult(
            rule=self.rule.id,
            severity=self.rule.severity,
            state=state,
            enforcement=enforcement or self.profile.enforcement(self.rule.id),
            subject=self.subject,
            profile=self.profile.name,
            path=path,
            observed=observed,
            expected=expected,
            message=message,
            remediation=remediation,
            witness=witness or self.subject.witness,
        )
