"""judge: all that a run knows so far, by the policy that holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.cost.lines import cost_lines
from orchestrator.cost.prices import PriceBook
from orchestrator.errors import FindingsError
from orchestrator.phases.reach import BY_CHOICE
from orchestrator.ports.policies import Judgement, Known, PolicyJudge
from orchestrator.ports.provisioning import Preview
from orchestrator.reporting.humanise import listed, plural
from orchestrator.reporting.model import PolicyResult
from orchestrator.reporting.policy.model import NotChecked
from orchestrator.results import RunResults
from policies.model import Phase
from stacks.fleet.model import Fleet

_MOST_NAMED = 6
HOSTS = "hosts from inside"
LOOK = "steward verify --fleet FILE"
_MEND = "Mend that, then: steward verify"


def judge(
    judges: PolicyJudge, results: RunResults, phase: Phase, fleet: Fleet, book: PriceBook | None
) -> Judgement:
    """The judgement of everything in the results; changes nothing."""
    return judges.judge(known(results, fleet, book), phase)


def known(results: RunResults, fleet: Fleet, book: PriceBook | None) -> Known:
    """What a run has found that rules can read."""
    preview = results.preview
    return replace(
        results.seen,
        engine=results.engine_policies(),
        steps=results.going or (preview.steps if preview else ()),
        costs=_costs(results, fleet, book),
    )


def _costs(results: RunResults, fleet: Fleet, book: PriceBook | None) -> dict[str, Any] | None:
    """None without a price book: where nobody says what things cost, there is no line to judge."""
    if book is None or results.preview is None or results.cost is None:
        return None
    return cost_lines(results.cost, results.preview.after, fleet, book)


def unchanged_since(results: RunResults) -> str:
    """The newest run that a host's converge is from, where this one made and converged nothing; else ''."""
    hosts = results.play.hosts if results.play else ()
    if results.provisioned or not hosts or not all(host.unchanged_since for host in hosts):
        return ""
    return max(host.unchanged_since for host in hosts)


def not_asked(
    judgement: Judgement | None, since: str, idle: Sequence[str], others: Mapping[str, str]
) -> Judgement | None:
    """The judgement, with since when nothing changed on `idle` hosts in the place of why none was asked.

    `others`: the hosts of which nobody can say that, each with why; they are told one by one.
    """
    if judgement is None:
        return None
    of = f" on {listed(list(idle))}" if others else ""
    why = f"nothing changed{of} since run {since}"
    told = [NotChecked(what=HOSTS, why=why, next_step=LOOK), *hosts_not_checked(others)]
    rows = [each for row in judgement.report.not_checked for each in (told if row.what == HOSTS else [row])]
    return replace(judgement, report=judgement.report.model_copy(update={"not_checked": tuple(rows)}))


def hosts_not_checked(reasons: Mapping[str, str]) -> list[NotChecked]:
    """A row for each host that told nothing, with why and what would change that."""
    return [
        NotChecked(what=f"host {server}", why=why, next_step=LOOK if why == BY_CHOICE else _MEND)
        for server, why in reasons.items()
    ]


def refuse_if_blocked(stack: str, found: Preview, judgement: Judgement) -> None:
    """Raise FindingsError that names each blocking rule and its subject, or what Pulumi refused with."""
    bad = [*(row for row in found.policies if row.blocks), *judgement.blocking]
    if not bad:
        if found.refused is not None:
            raise found.refused
        return
    raise blocked(stack, bad, "nothing was changed")


def refuse(stack: str, judgement: Judgement) -> None:
    """Raise FindingsError where a rule stops the run by what is known so far."""
    if judgement.blocking:
        raise blocked(stack, judgement.blocking, "nothing was changed")


def blocked(stack: str, bad: Sequence[PolicyResult], so: str) -> FindingsError:
    """The error for findings that stop a run; `so` says what came of it."""
    names = sorted({f"{row.rule} ({row.subject})" for row in bad})
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return FindingsError(
        stack,
        f"{plural(len(bad), 'blocking finding')}; {so}: {', '.join(names[:_MOST_NAMED])}{more}",
        next_step=f"Mend the fleet, or read: steward policy explain {bad[0].rule}",
    )


def summary(found: Judgement) -> str:
    """`166 rules on 88 subjects: 2 fail, 412 pass`"""
    report = found.report
    counts = Counter(report.counts)
    said = [
        f"{counts[state]} {state.replace('_', ' ')}"
        for state in ("fail", "error", "unknown", "waived", "baselined", "pass")
        if counts[state]
    ]
    return f"{len(report.rules)} rules on {len(report.subjects)} subjects: {', '.join(said)}"
