"""From an assessment to the report that every format is drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from orchestrator.reporting.policy.model import (
    Baseline,
    Deferred,
    Digests,
    NotChecked,
    Phase,
    PolicyReport,
    Population,
    ReportedFramework,
    ReportedResult,
    ReportedRule,
    ReportedSteps,
    ReportedSubject,
    ReportedWaiver,
    Source,
    TrendPoint,
    Verdict,
)
from orchestrator.reporting.policy.reconcile import blocking, check, counted, is_green
from orchestrator.reporting.policy.subjects import Listed, reported_subjects
from orchestrator.reporting.policy.words import verdict_words
from policies.assessment import Assessment
from policies.controls import load_frameworks
from policies.facts import shown
from policies.messages import problem_in
from policies.model import CheckResult, Rule, State, stops
from policies.pack import Pack
from policies.profiles import Profile


@dataclass(frozen=True)
class Occasion:
    """Who judged, when, for whom and by which command: all that a report says beside what was found."""

    run: str
    stack: str
    client: str
    environment: str
    phase: Phase
    started_at: datetime
    actor: str
    command: Sequence[str]
    versions: Mapping[str, str]
    rules_digest: str
    profiles_digest: str
    commit: str = ""
    change_id: str = ""
    fleet_file: str = ""
    chain_head: str = ""
    """The newest record of the stack's evidence when the judgement began."""
    as_of: datetime | None = None
    """What ages count to, where it is not now."""

    def at(self, phase: Phase) -> Occasion:
        """The same at another phase of the run."""
        return replace(self, phase=phase)


@dataclass(frozen=True)
class ReportContext:
    """What a report says beside the assessment; `pack`: the rules and profiles as they judged, at the phase.

    `reference`: digest of the policy reference. `inputs`: digest of each source by its name. `overlaps`,
    `unsourced`: see `Population`. `left_out`: id of each subject that no rule was asked about -> why.
    `listed`: subjects that were listed already.
    """

    about: Occasion
    ended_at: datetime
    pack: Pack
    reference: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[Source] = ()
    overlaps: int | None = None
    unsourced: int = 0
    differences: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    listed: Listed | None = None
    waivers: Sequence[ReportedWaiver] = ()
    baseline: Baseline = field(default_factory=Baseline)
    deferred: Sequence[Deferred] = ()
    not_checked: Sequence[NotChecked] = ()
    trend: Sequence[TrendPoint] = ()

    @property
    def digests(self) -> Digests:
        """Of what judged and of what was judged."""
        return Digests(
            rules=self.about.rules_digest,
            profiles=self.about.profiles_digest,
            reference=self.reference,
            inputs=dict(self.inputs),
        )


def policy_report(assessment: Assessment, context: ReportContext) -> PolicyReport:
    """The report; raises EmptyPopulationError or InconsistentReportError where it would not add up."""
    subjects = reported_subjects(assessment, context.left_out, context.listed)
    profiles = [each for each in context.pack.profiles.ordered if each.name in set(assessment.profiles)]
    about = context.about
    draft = PolicyReport(
        run=about.run,
        stack=about.stack,
        client=about.client,
        environment=about.environment,
        phase=about.phase,
        started_at=about.started_at,
        ended_at=context.ended_at,
        actor=about.actor,
        commit=about.commit,
        change_id=about.change_id,
        command=tuple(about.command),
        fleet_file=about.fleet_file,
        chain_head=about.chain_head,
        as_of=about.as_of,
        versions=dict(about.versions),
        digests=context.digests,
        verdict=Verdict(green=False, exit_code=1, blocking=0, words=""),
        counts=counted(assessment.matrix),
        population=_population(subjects, context),
        frameworks=_frameworks(assessment.rules),
        rules=tuple(_rule(rule, profiles, own=rule.id in context.pack.own) for rule in assessment.rules),
        subjects=subjects,
        matrix=dict(assessment.matrix),
        results=_results(assessment) if subjects else (),
        waivers=tuple(context.waivers),
        baseline=context.baseline,
        deferred=tuple(context.deferred),
        not_checked=tuple(context.not_checked),
        trend=tuple(context.trend),
    )
    blocked, green = blocking(draft), is_green(draft)
    words = verdict_words(draft, green=green)
    verdict = Verdict(green=green, exit_code=1 if blocked else 0, blocking=blocked, words=words)
    return check(draft.model_copy(update={"verdict": verdict}))


def _population(subjects: Sequence[ReportedSubject], context: ReportContext) -> Population:
    return Population(
        subjects=len(subjects),
        by_kind=dict(Counter(subject.kind for subject in subjects)),
        sources=tuple(context.sources),
        overlaps=context.overlaps,
        unsourced=context.unsourced,
        differences=context.differences,
    )


def _rule(rule: Rule, profiles: Iterable[Profile], *, own: bool) -> ReportedRule:
    judged = list(profiles)
    return ReportedRule(
        id=rule.id,
        title=rule.title,
        rationale=rule.rationale,
        severity=rule.severity.value,
        kind=rule.kind.value,
        types=rule.subjects,
        steps=ReportedSteps(**vars(rule.steps)),
        controls={name: tuple(ids) for name, ids in rule.controls.items()},
        remediation=rule.remediation,
        owner=rule.owner,
        reviewed_on=rule.reviewed_on,
        version=rule.version,
        on_unknown=rule.on_unknown.value,
        own=own,
        params={each.name: _params(rule, each) for each in judged} if rule.params else {},
        enforcement={each.name: each.enforcement(rule.id).value for each in judged},
    )


def _params(rule: Rule, profile: Profile) -> dict[str, Any]:
    values = profile.params(rule)
    return {name: values.get(name) for name in rule.params}


def _frameworks(rules: Iterable[Rule]) -> tuple[ReportedFramework, ...]:
    used: dict[str, set[str]] = {}
    for rule in rules:
        for framework, controls in rule.controls.items():
            used.setdefault(framework, set()).update(controls)
    known = load_frameworks()
    return tuple(
        ReportedFramework(
            id=name,
            title=known[name].title if name in known else name,
            version=known[name].version if name in known else "",
            controls={
                control: known[name].controls.get(control, "") if name in known else ""
                for control in sorted(used[name])
            },
        )
        for name in sorted(used)
    )


def _results(assessment: Assessment) -> tuple[ReportedResult, ...]:
    """Results rule by rule; what is said alike of many subjects is one."""
    places = {subject.urn: place for place, subject in enumerate(assessment.subjects)}
    order = {rule.id: place for place, rule in enumerate(assessment.rules)}
    remediations = {rule.id: rule.remediation for rule in assessment.rules}
    groups: dict[tuple[str, ...], dict[int, str]] = {}
    passed = State.PASS
    for result in assessment.results:
        if result.state is passed:
            continue
        own = "" if result.remediation == remediations.get(result.rule) else result.remediation
        witness = "" if result.witness == result.subject.witness else result.witness
        key = (
            *(result.rule, result.state, result.enforcement, result.path),
            *(result.observed, result.expected, problem(result), own, witness, result.waiver),
        )
        groups.setdefault(key, {})[places.get(result.subject.urn, -1)] = result.fingerprint
    ordered = sorted(groups.items(), key=lambda group: (order.get(group[0][0], -1), min(group[1]), group[0]))
    return tuple(_reported(key, on) for key, on in ordered)


def _reported(key: tuple[str, ...], on: Mapping[int, str]) -> ReportedResult:
    rule, state, enforcement, path, observed, expected, message, remediation, witness, waiver = key
    places = tuple(sorted(on))
    prints = [on[place] for place in places]
    return ReportedResult.model_validate(
        {
            "rule": rule, "on": places, "state": state, "enforcement": enforcement, "path": path,
            "blocks": stops(state, enforcement),
            "observed": observed, "expected": expected, "message": message, "remediation": remediation,
            "witness": witness, "waiver": waiver, "fingerprints": tuple(prints) if any(prints) else (),
        }
    )  # fmt: skip


def problem(result: CheckResult) -> str:
    """The message without what has a field of its own: the subject's name, path, expectation and fix."""
    text = result.message.removeprefix(f"{shown(result.subject.name)}: ")
    if result.path:
        text = text.removeprefix(f"{result.path}: ")
    return problem_in(text, expected=result.expected, remediation=result.remediation)
