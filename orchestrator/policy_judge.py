"""Judges everything that a run knows, by the policy of this installation; implements `ports.policies`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from orchestrator.errors import InputError
from orchestrator.judging.check import Circumstances, reported
from orchestrator.judging.rows import report_rows
from orchestrator.judging.run import Fixed, judged, population
from orchestrator.judging.sources import Whose, fleet_tags
from orchestrator.policy_reference import Policy, open_policy
from orchestrator.ports.policies import Judgement, Known
from orchestrator.ports.run import Clock, Target
from orchestrator.reporting.policy.model import NotChecked
from orchestrator.settings import Settings
from policies.limits import memory_limit
from policies.model import PackError, Phase
from policies.subjects.playbooks import read_folder

_LOOK: Final = "steward verify --fleet FILE"
_HOSTS: Final = NotChecked(what="hosts from inside", why="this run did not ask them", next_step=_LOOK)
_BACKUPS: Final = NotChecked(what="backups in the vault", why="this run did not ask it", next_step=_LOOK)
_COSTS: Final = NotChecked(
    what="costs",
    why="no price book says what anything costs, or nothing was planned",
    next_step="Write a price book for the client: docs/cost.md",
)
_SHIPPED: Final = NotChecked(
    what="the playbooks that come with Steward",
    why="they are judged where Steward is built",
    next_step="steward policy check --from PLAYBOOKS",
)


@dataclass(frozen=True)
class RunJudge:
    """Opens the policy once a run: what is judged first and last is judged alike."""

    settings: Settings
    target: Target
    about: Circumstances
    clock: Clock
    clock_suspect: bool = False
    """Time stands before the last record of evidence: waivers count as expired, ages as unknown."""

    def judge(self, known: Known, phase: Phase) -> Judgement:
        """Everything that is known, at a phase; raises InputError where the policy itself is at fault."""
        now = self.clock.now()
        resources, sources = population(known, self._fixed, self._whose(now))
        with memory_limit():
            found = judged(known, resources, sources, self._policy, phase)
        engine = {subject.urn for subject in resources}
        report = reported(
            found, sources, self._policy, self.about.at(phase.value), self.clock.now(), _not_checked(known)
        )
        return Judgement(report_rows(found, leave_out=engine), report)

    @cached_property
    def _policy(self) -> Policy:
        return open_policy(self.settings, self.about.started_at, clock_suspect=self.clock_suspect)

    @cached_property
    def _fixed(self) -> Fixed:
        loaded = self.target.loaded
        try:
            roles = read_folder(self.settings.own_roles) if self.settings.own_roles.is_dir() else {}
        except PackError as problem:
            raise InputError("roles", f"cannot be judged: {problem}") from problem
        return Fixed(
            loaded.fleet.model_dump(mode="json"),
            loaded.path.name,
            {f"roles/{name}": text for name, text in roles.items()},
        )

    def _whose(self, now: datetime) -> Whose:
        fleet = self.target.loaded.fleet
        return Whose(fleet.stack, fleet_tags(fleet), None if self._policy.seen.clock_suspect else now)


def _not_checked(known: Known) -> list[NotChecked]:
    left = [_SHIPPED]
    left += [
        NotChecked(what=f"host {server}", why=why, next_step="Mend the way there, then: steward verify")
        for server, why in known.unreached.items()
    ]
    left += [] if known.hosts or known.unreached else [_HOSTS]
    left += [_BACKUPS] if known.backups is None else []
    left += [_COSTS] if known.costs is None else []
    return left
