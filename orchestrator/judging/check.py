"""One judgement of everything that was given, with its exceptions, as the report that is kept of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from orchestrator.errors import InputError
from orchestrator.judging.sources import Source
from orchestrator.policy_reference import Policy
from policies.assessment import Assessment
from policies.facts import Unknown, shown
from policies.governed import judge, judge_change
from policies.model import Phase, State, Subject
from policies.sharing import ALONE, Sharing

if TYPE_CHECKING:
    from orchestrator.reporting.policy.build import Occasion
    from orchestrator.reporting.policy.model import Deferred, NotChecked, PolicyReport
    from orchestrator.reporting.policy.subjects import Listed

_POPULATION = "population."
_TOLD_LATER: Final[Mapping[str, int]] = {"state": 1, "fleet file": 2}
"""Kinds of source whose word counts where no other tells of the same subject."""
_DIFFERS = (State.FAIL, State.WAIVED, State.BASELINED)


def judged(
    sources: Sequence[Source], policy: Policy, phase: Phase, only: Collection[str], sharing: Sharing = ALONE
) -> Assessment:
    """All subjects by what holds, and by a draft of the policy where there is one; the stricter counts.

    `only`: ids of the subjects to judge; the others are there for rules that read all of them. `sharing`:
    among processes.
    """
    subjects = union(sources)
    if policy.proposed is None:
        return judge(subjects, policy.holding, policy.seen, phase=phase, only=only, sharing=sharing)
    return judge_change(
        subjects, policy.holding, policy.proposed, policy.seen, policy.proposed_waivers,
        phase=phase, only=only, sharing=sharing,
    )  # fmt: skip


def union(sources: Sequence[Source]) -> tuple[Subject, ...]:
    """Every subject once; raises InputError where there is none, or where two files differ about one."""
    found = _each_once(sources)
    if not found:
        raise InputError(
            "policy check", "there is nothing to judge: no green report comes of an empty population",
            place=", ".join(source.name for source in sources),
            next_step="Give a preview, a state, playbooks or documents that hold something.",
        )  # fmt: skip
    return tuple(found.values())


def _each_once(sources: Sequence[Source]) -> Mapping[str, Subject]:
    """By id; raises InputError where two files tell different facts of one subject.

    What will be goes before what is, and both before what the fleet file says: of these kinds of file each
    speaks of another time, and differs from the others on purpose.
    """
    found: dict[str, Subject] = {}
    told: dict[str, Source] = {}
    for source in sorted(sources, key=lambda each: _TOLD_LATER.get(each.kind, 0)):
        for subject in source.subjects:
            known = found.setdefault(subject.urn, subject)
            by = told.setdefault(subject.urn, source)
            if known is not subject and by.kind == source.kind and known != subject:
                raise _two_words(subject, by, source)
    return found


def _two_words(subject: Subject, first: Source, second: Source) -> InputError:
    files = first.name if first.name == second.name else f"{first.name} and {second.name}"
    return InputError(
        "policy check", f"two files tell different things of {shown(subject.urn)}", place=files,
        rule="one word of each subject, or else one file would hide what the other says",
        got=f"a {first.kind} each", next_step="Give the one that is true, or judge them apart.",
    )  # fmt: skip


def unchanged(now: Sequence[Source], then: Sequence[Source]) -> frozenset[str]:
    """Ids of the subjects that are as they were."""
    before = _each_once(then)
    return frozenset(
        urn
        for urn, subject in _each_once(now).items()
        if (known := before.get(urn)) is not None and known == subject
    )


def reported(
    assessment: Assessment,
    sources: Sequence[Source],
    policy: Policy,
    about: Occasion,
    ended_at: datetime,
    not_checked: Sequence[NotChecked] = (),
    *,
    deferred: Sequence[Deferred] = (),
    left_out: Mapping[str, str] | None = None,
    listed: Listed | None = None,
) -> PolicyReport:
    """The judgement as its report; raises where the counts do not reconcile.

    `left_out`: id of each subject that told something and was not asked about all the same -> why.
    `listed`: subjects that were listed while they were judged.
    """
    # The models of a report are loaded by who makes one; a large judgement is under way by then.
    from orchestrator.judging.unasked import unproven
    from orchestrator.reporting.policy.build import ReportContext, policy_report
    from orchestrator.reporting.policy.exceptions import reported_baseline, reported_waivers
    from orchestrator.reporting.policy.model import Source as ReportedSource

    overlaps, unsourced = _overlaps(assessment, sources)
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
        overlaps=overlaps,
        unsourced=unsourced,
        waivers=reported_waivers(assessment, policy.holding, policy.seen.now),
        baseline=reported_baseline(assessment, policy.holding),
        deferred=deferred,
        not_checked=(*not_checked, *unproven(policy)),
        differences=differences(assessment),
        left_out={**_silent(sources), **(left_out or {})},
        listed=listed,
    )
    return policy_report(assessment, context)


def _overlaps(assessment: Assessment, sources: Sequence[Source]) -> tuple[int, int]:
    """How often a subject comes from a further source, and how many subjects come from none."""
    ids = {subject.urn for source in sources for subject in source.subjects}
    told = sum(len(source.subjects) for source in sources)
    return told - len(ids), sum(subject.urn not in ids for subject in assessment.subjects)


def _silent(sources: Sequence[Source]) -> dict[str, str]:
    """Why the subjects that told nothing did not: their first value, which nobody knows, says it."""
    return {
        subject.urn: why
        for source in sources
        if source.silent
        for subject in source.subjects
        if (why := _first_gap(subject))
    }


def _first_gap(subject: Subject) -> str:
    values = subject.facts.raw()
    gaps = [values] if isinstance(values, Unknown) else list(values.values())
    return next((each.reason for each in gaps if isinstance(each, Unknown) and each.reason), "")


def differences(assessment: Assessment) -> int:
    """How many pairs say that two sources of the population differ, excused or not."""
    return len({
        (result.rule, result.subject.urn)
        for result in assessment.results
        if result.rule.startswith(_POPULATION) and result.state in _DIFFERS
    })  # fmt: skip
