"""One judgement of everything that was given, with its exceptions, as the report that is kept of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from orchestrator.errors import InputError
from orchestrator.judging.sources import Source
from orchestrator.policy_reference import Policy
from orchestrator.reporting.policy.build import Circumstances, ReportContext, policy_report
from orchestrator.reporting.policy.exceptions import reported_baseline, reported_waivers
from orchestrator.reporting.policy.model import Deferred, NotChecked, PolicyReport
from orchestrator.reporting.policy.model import Source as ReportedSource
from policies.assessment import Assessment
from policies.governed import judge, judge_change
from policies.model import Phase, State, Subject

_POPULATION = "population."
_DIFFERS = (State.FAIL, State.WAIVED, State.BASELINED)


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
        about,
        ended_at,
        policy.holding.pack,
        reference=policy.holding.digest,
        inputs={source.name: source.digest for source in sources},
        sources=[
            ReportedSource(name=each.name, subjects=len(each.subjects), digest=each.digest)
            for each in sources
        ],
        waivers=reported_waivers(assessment, policy.holding, policy.seen.now),
        baseline=reported_baseline(assessment, policy.holding),
        deferred=deferred,
        not_checked=(*not_checked, *_unproven(policy)),
        differences=differences(assessment),
    )
    return policy_report(assessment, context)


def _unproven(policy: Policy) -> Sequence[NotChecked]:
    """Said aloud: a folder that was never read here shows nothing of what it held before."""
    if not policy.holding.baseline.entries or policy.seen.earlier_baseline is not None:
        return ()
    return [
        NotChecked(
            what="whether the baseline grew",
            why="it lies in a folder without history that was never read here before",
            next_step="Name the reference as REPO@REF:FOLDER, or keep STEWARD_HOME from run to run.",
        )
    ]


def differences(assessment: Assessment) -> int:
    """How many pairs say that two sources of the population differ, excused or not."""
    return len({
        (result.rule, result.subject.urn)
        for result in assessment.results
        if result.rule.startswith(_POPULATION) and result.state in _DIFFERS
    })  # fmt: skip
