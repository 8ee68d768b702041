"""What a judgement came to about its own exceptions, in the words of the report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from orchestrator.reporting.policy.build import problem
from orchestrator.reporting.policy.model import Baseline, Lapsed, ReportedWaiver
from policies.assessment import Assessment
from policies.baseline import lapsed
from policies.facts import UnknownFactError
from policies.governed import IN_FORCE
from policies.model import CheckResult, State, Subject
from policies.reference import Reference
from policies.waivers import Waiver

_WRONG = (State.FAIL, State.ERROR, State.UNKNOWN, State.NOT_RUN)
_EXPIRED = "governance.waiver-not-expired"
_IDLE = ("governance.waiver-matches-a-subject", "governance.waiver-is-used")


def reported_waivers(
    assessment: Assessment, reference: Reference, now: datetime
) -> tuple[ReportedWaiver, ...]:
    """Every waiver of the reference: what it excuses, or why it excuses nothing."""
    wrong: dict[str, list[CheckResult]] = {}
    pairs: dict[str, set[tuple[str, str]]] = {}
    meant = {each.name: _matched(each) for each in assessment.subjects if each.type == "waiver"}
    for result in assessment.results:
        if result.subject.type == "waiver" and result.state in _WRONG:
            wrong.setdefault(result.subject.name, []).append(result)
        if result.waiver:
            pairs.setdefault(result.waiver, set()).add((result.rule, result.subject.urn))
    return tuple(
        _waiver(each, wrong.get(each.id, ()), meant.get(each.id, 0), len(pairs.get(each.id, ())), now)
        for each in reference.waivers
    )


def _matched(waiver: Subject) -> int:
    """The same figure that the rules about waivers read; 0 where nothing of that kind was judged."""
    try:
        return waiver.facts.whole("matched")
    except UnknownFactError:
        return 0


def reported_baseline(assessment: Assessment, reference: Reference) -> Baseline:
    """How much the baseline excuses, and what of it can be taken out."""
    return Baseline(
        entries=len(reference.baseline.entries),
        matched=[result.state for result in assessment.results].count(State.BASELINED),
        lapsed=tuple(
            Lapsed(rule=entry.rule, subject=entry.subject, why=why)
            for entry, why in lapsed(reference.baseline, assessment)
        ),
    )


def _waiver(
    waiver: Waiver, wrong: Sequence[CheckResult], matched: int, excused: int, now: datetime
) -> ReportedWaiver:
    told = [each for each in wrong if each.state is State.FAIL or each.rule in IN_FORCE]
    return ReportedWaiver(
        id=waiver.id,
        rule=waiver.rule,
        subject=waiver.subject,
        owner=waiver.owner,
        approver=waiver.approver,
        reason=waiver.reason,
        ticket=waiver.ticket,
        created=waiver.created,
        expires=waiver.expires,
        days_left=max(0, (waiver.expires - now.date()).days),
        compensating_control=waiver.compensating_control,
        matched=matched,
        excused=excused,
        state=_state({each.rule for each in told}, expired=now.date() > waiver.expires),
        problem="; ".join(problem(each) for each in told),
    )


def _state(wrong: set[str], *, expired: bool) -> Literal["active", "expired", "unused", "refused"]:
    """Refused before expired: a waiver that was never good did not end, it never began."""
    if wrong & set(IN_FORCE) - {_EXPIRED}:
        return "refused"
    if _EXPIRED in wrong:
        return "expired" if expired else "refused"
    return "unused" if wrong & set(_IDLE) else "active"
