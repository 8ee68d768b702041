"""What the phases ask of whoever judges: all that a run knows so far, by the policy that holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.reporting.model import PolicyResult
from orchestrator.reporting.policy.model import Deferred, PolicyReport
from policies.model import Phase
from policies.subjects.steps import PlannedStep


@dataclass(frozen=True)
class Known:
    """What there is to judge; empty or None where a run has not come to it.

    `engine`: what the pack said of resources. `state`: what the engine has, as steps that change nothing.
    `hosts`: documents `steward.host-facts/1`, `earlier` those of earlier runs, `expected` what fleet and
    others say of each host. `unreached`: servers that gave none, and why; `left_out`: those that nobody
    asked, and why. `listings`: documents `steward.listing/1` by source. `backups` and `costs`: documents
    `steward.backup-records/1` and `steward.cost-lines/1`. `deferred`: pairs that an earlier judgement left to
    this one. `history`: document `steward.pulumi-history/1`.
    """

    engine: Sequence[PolicyResult] = ()
    steps: Sequence[PlannedStep] = ()
    costs: Mapping[str, Any] | None = None
    state: Sequence[PlannedStep] = ()
    hosts: Sequence[Mapping[str, Any]] = ()
    earlier: Sequence[Mapping[str, Any]] = ()
    expected: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    unreached: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    listings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    backups: Mapping[str, Any] | None = None
    deferred: Sequence[Deferred] = ()
    history: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Judgement:
    """What rules said beyond the engine's pack, and the whole as its report."""

    rows: Sequence[PolicyResult]
    report: PolicyReport

    @property
    def blocking(self) -> Sequence[PolicyResult]:
        """The rows that stop a change, or fail a look."""
        return [row for row in self.rows if row.blocks]


class PolicyJudge(Protocol):
    """Rules, profiles and exceptions, ready to judge one stack."""

    def judge(self, known: Known, phase: Phase) -> Judgement:
        """Everything that is known, at a phase; raises InputError where the policy itself is at fault."""
        ...
