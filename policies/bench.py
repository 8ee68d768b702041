"""Word the results of one rule under one profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from policies.checks import understood
from policies.facts import Facts, shown
from policies.messages import failure
from policies.model import (
    CheckResult,
    Enforcement,
    Finding,
    Gap,
    Kind,
    NotApplicable,
    OnUnknown,
    Outcome,
    Rule,
    State,
    Subject,
)
from policies.profiles import Profile
from policies.reach import not_its_step, sort_of

_MOST_NAMED: Final = 3
_FAIL: Final = State.FAIL
_WHEN_MADE: Final = "Judged at up, before the resource is made."
_WHEN_MADE_LATER: Final = "Not counted as passed; a run judges it once it is known."
_PLANNED: Final = (Kind.RESOURCE, Kind.STEP)
"""Kinds whose values the engine may not know before it makes them."""


class Bench:
    """Where a rule judges under a profile; gives the results on each subject in words."""

    def __init__(self, rule: Rule, profile: Profile, *, settled: bool, offline: bool = False) -> None:
        self.rule, self.profile, self.settled = rule, profile, settled
        self.offline = offline
        """Files are judged: there is no preview that could see more, and no `up` that comes next."""
        self.usual = profile.enforcement(rule.id)
        """What a failure does."""

    def results(self, subject: Subject, outcomes: Sequence[Outcome]) -> list[CheckResult]:
        """What the outcomes mean; none is a pass. Raises MeaninglessError at anything else."""
        results, gaps, reasons = [], [], []
        for said in outcomes:
            understood(said)
            if isinstance(said, Finding):
                results.append(self._fail(subject, said))
            elif isinstance(said, Gap):
                gaps.append(said)
            elif isinstance(said, NotApplicable):
                reasons.append(said.reason)
        if gaps:
            results.append(self._unknown(subject, gaps))
        if results:
            return results
        state = State.NOT_APPLICABLE if reasons else State.PASS
        return [self._result(subject, state, message=reasons[0] if reasons else "")]

    def passed(self, subject: Subject) -> CheckResult:
        """Nothing was found."""
        return self._result(subject, State.PASS)

    def out_of_scope(self, subject: Subject) -> CheckResult:
        """The rule does not read this type or step, or nobody can."""
        if subject.type == "unrecognised":
            kind = shown(subject.source_type)
            return self.not_run(subject, f"no rule can read resources of type {kind}", Enforcement.ADVISORY)
        if subject.type in self.rule.subjects:
            said = not_its_step(self.rule.steps, sort_of(subject))
        else:
            few = len(self.rule.subjects) <= _MOST_NAMED
            judged = " or ".join(self.rule.subjects) if few else "other resources"
            said = f"judges {judged}; this is a {subject.type}".replace("_", " ")
        return self._result(subject, State.NOT_APPLICABLE, message=said)

    def not_run(self, subject: Subject, reason: str, enforcement: Enforcement) -> CheckResult:
        """The rule was not asked."""
        return self._result(subject, State.NOT_RUN, enforcement, message=reason)

    def error(self, subject: Subject, error: BaseException) -> CheckResult:
        """The rule raised; that stops the change whatever the profile says of failures."""
        return self.broken(subject, type(error).__name__, str(error))

    def broken(self, subject: Subject, kind: str, why: str) -> CheckResult:
        """The same, of an error by its type and text."""
        text = f"rule {self.rule.id} could not judge: {kind}: {shown(why)}"
        return self._result(
            subject,
            State.ERROR,
            Enforcement.MANDATORY,
            message=f"{shown(subject.name)}: {text}. Fix: correct the value, or tell {self.rule.owner}.",
        )

    def _fail(self, subject: Subject, finding: Finding) -> CheckResult:
        fix = finding.fix or self.rule.remediation
        return self._result(
            subject,
            _FAIL,
            path=finding.path,
            observed=finding.observed,
            expected=finding.expected,
            message=failure(subject.name, finding, fix),
            remediation=fix,
            witness=finding.witness,
        )

    def _unknown(self, subject: Subject, gaps: Sequence[Gap]) -> CheckResult:
        paths = ", ".join(gap.path for gap in gaps[:_MOST_NAMED])
        paths += f" and {len(gaps) - _MOST_NAMED} more" if len(gaps) > _MOST_NAMED else ""
        enforcement = self._when_unknown(gaps)
        then = {
            Enforcement.DEFERRED: _WHEN_MADE_LATER if self.offline else _WHEN_MADE,
            Enforcement.MANDATORY: f"Fix: {self._how_to_know()}.",
        }.get(enforcement, "Not counted as passed.")
        return self._result(
            subject,
            State.UNKNOWN,
            enforcement,
            path=gaps[0].path,
            observed="unknown",
            message=(
                f"{shown(subject.name)}: {paths}: not known{self._why(gaps)}; {self.rule.title}? {then}"
            ),
        )

    def _why(self, gaps: Sequence[Gap]) -> str:
        reason = next((gap.reason for gap in gaps if gap.reason), "")
        if reason:
            return f" ({shown(reason)})"
        if self.offline:
            return " from the files"
        return " at preview" if self.rule.kind in _PLANNED else ""

    def _how_to_know(self) -> str:
        if self.rule.kind in _PLANNED:
            known = "stands in the files" if self.offline else "preview can see"
            return f"give it as a plain value that {known}"
        return f"make it known, then judge again; {self.rule.remediation}".rstrip(".")

    def _when_unknown(self, gaps: Sequence[Gap]) -> Enforcement:
        """Block, wait or warn; never stronger than what the profile makes of a plain failure."""
        usual = self.usual
        may_wait = self.rule.on_unknown is OnUnknown.DEFER or all(gap.settled_at_up for gap in gaps)
        if usual is Enforcement.ADVISORY or self.rule.on_unknown is OnUnknown.WARN:
            return Enforcement.ADVISORY
        return Enforcement.DEFERRED if may_wait and not self.settled else usual

    def _result(
        self,
        subject: Subject,
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
            enforcement=enforcement or self.usual,
            subject=subject,
            profile=self.profile.name,
            path=path,
            observed=observed,
            expected=expected,
            message=message,
            remediation=remediation,
            witness=witness or subject.witness,
        )


class Terms:
    """On what terms a rule judges under each profile, put together once."""

    def __init__(self, rule: Rule, *, settled: bool, offline: bool) -> None:
        self._rule, self._settled, self._offline = rule, settled, offline
        self._made: dict[str, tuple[Facts | None, Bench]] = {}

    def of(self, profile: Profile) -> tuple[Facts | None, Bench]:
        """The parameters that this profile gives the rule, None where it disables it, and its bench."""
        made = self._made.get(profile.name)
        if made is None:
            bench = Bench(self._rule, profile, settled=self._settled, offline=self._offline)
            off = bench.usual is Enforcement.DISABLED
            made = self._made[profile.name] = None if off else profile.params(self._rule), bench
        return made
