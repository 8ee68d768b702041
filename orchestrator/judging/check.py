"""One judgement of everything that was given, with its exceptions, as the report that is kept of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from orchestrator.errors import InputError
from orchestrator.judging.sources import Source
from orchestrator.policy_reference import Policy
from orchestrator.reporting.policy.build import ReportContext, policy_report
from orchestrator.reporting.policy.exceptions import reported_baseline, reported_waivers
from orchestrator.reporting.policy.model import Deferred, Digests, NotChecked, PolicyReport
from orchestrator.reporting.policy.model import Source as ReportedSource
from policies.assessment import Assessment
from policies.governed import judge, judge_change
from policies.model import Phase, State, Subject

_POPULATION = "population."
_DIFFERS = (State.FAIL, State.WAIVED, State.BASELINED)
ReportPhase = Literal["preview", "up", "destroy", "live", "offline"]


@dataclass(frozen=True)
class Circumstances:
    """Who judged, when, for whom and by which command: all that a report says beside what was found."""

    run: str
    stack: str
    client: str
    environment: str
    phase: ReportPhase
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

    def at(self, phase: ReportPhase) -> Circumstances:
        """The same at another phase of the run."""
        return replace(self, phase=phase)


def judged(sources: Sequence[Source], policy: Policy, phase: Phase, only: Collection[str]) -> Assessment:
    """All subjects by what holds, and by a draft of the policy where there is one; the stricter counts.

    `only`: ids of the subjects to judge; the others are there for rules that read all of them.
    """
    subjects = union(sources)
    if policy.proposed is None:
        return judge(subjects, policy.holding, policy.seen, phase=phase, only=only)
    return judge_change(
        subjects, policy.holding, policy.proposed, policy.seen, policy.proposed_waivers,
        phase=phase, only=only,
    )  # fmt: skip


def union(sources: Sequence[Source]) -> tuple[Subject, ...]:
    """Every subject once, as the first source that knows it has it; raises InputError where there is none."""
    found: dict[str, Subject] = {}
    for source in sources:
        for subject in source.subjects:
            found.setdefault(subject.urn, subject)
    if not found:
        raise InputError(
            "policy check", "there is nothing to judge: no green report comes of an empty population",
            place=", ".join(source.name for source in sources),
            next_step="Give a preview, a state, playbooks or documents that hold something.",
        )  # fmt: skip
    return tuple(found.values())


def unchanged(now: Sequence[Source], then: Sequence[Source]) -> frozenset[str]:
    """Ids of the subjects that are as they were."""
    before = {subject.urn: subject for source in then for subject in source.subjects}
    return frozenset(
        subject.urn
        for source in now
        for subject in source.subjects
        if (known := before.get(subject.urn)) is not None and known == subject
    )


def reported(
    assessment: Assessment,
    sources: Sequence[Source],
    policy: Policy,
    about: Circumstances,
    ended_at: datetime,
    not_checked: Sequence[NotChecked] = (),
    *,
    deferred: Sequence[Deferred] = (),
) -> PolicyReport:
    """The judgement as its report; raises where the counts do not reconcile."""
    context = ReportContext(
        run=about.run,
        stack=about.stack,
        client=about.client,
        environment=about.environment,
        phase=about.phase,
        started_at=about.started_at,
        ended_at=ended_at,
        actor=about.actor,
        pack=policy.holding.pack,
        digests=Digests(
            rules=about.rules_digest,
            profiles=about.profiles_digest,
            reference=policy.holding.digest,
            inputs={source.name: source.digest for source in sources},
        ),
        commit=about.commit,
        change_id=about.change_id,
        command=about.command,
        fleet_file=about.fleet_file,
        chain_head=about.chain_head,
        versions=about.versions,
        sources=[
            ReportedSource(name=each.name, subjects=len(each.subjects), digest=each.digest)
            for each in sources
        ],
        waivers=reported_waivers(assessment, policy.holding, policy.seen.now),
        baseline=reported_baseline(assessment, policy.holding),
        deferred=deferred,
        not_checked=not_checked,
        differences=differences(assessment),
    )
    return policy_report(assessment, context)


def differences(assessment: Assessment) -> int:
    """How many pairs say that two sources of the population differ, excused or not."""
    return len({
        (result.rule, result.subject.urn)
        for result in assessment.results
        if result.rule.startswith(_POPULATION) and result.state in _DIFFERS
    })  # fmt: skip
