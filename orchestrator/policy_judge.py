"""Judges everything that a run knows, by the policy of this installation; implements `ports.policies`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from orchestrator.errors import InputError
from orchestrator.judging.beside import read_feed
from orchestrator.judging.check import reported
from orchestrator.judging.rows import report_rows
from orchestrator.judging.run import Fixed, judged, population, shipped_parts, with_play
from orchestrator.judging.settling import deferred, shown
from orchestrator.judging.sources import Whose, fleet_tags
from orchestrator.phases.judge import HOSTS, LOOK, hosts_not_checked
from orchestrator.policy_reference import Policy, open_policy
from orchestrator.ports.policies import Judgement, Known
from orchestrator.ports.run import Clock, Target
from orchestrator.reporting.policy.build import Occasion
from orchestrator.reporting.policy.model import Deferred, NotChecked
from orchestrator.settings import Settings
from policies.assessment import Assessment
from policies.limits import memory_limit
from policies.model import PackError, Phase
from policies.subjects.playbooks import read_folder

_HOSTS: Final = NotChecked(what=HOSTS, why="this run did not ask them", next_step=LOOK)
_BACKUPS: Final = NotChecked(what="backups in the vault", why="this run did not ask it", next_step=LOOK)
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
    occasion: Callable[[], Occasion]
    """Asked for once, when something is judged: the chain's head is then the newest record before that."""
    clock: Clock
    clock_suspect: bool = False
    """Time stands before the last record of evidence: waivers count as expired, ages as unknown."""
    earlier: Callable[[], Sequence[Deferred]] = tuple
    """Pairs that the stack's last `up` left to be judged later."""
    planned: dict[tuple[str, str], Deferred] = field(default_factory=dict)
    """Those of this run's own plan, by rule and subject."""
    history: Callable[[], Mapping[str, Any] | None] = lambda: None
    """What the engine and the ledger know of changes so far."""

    def judge(self, known: Known, phase: Phase) -> Judgement:
        """Everything that is known, at a phase; raises InputError where the policy itself is at fault."""
        now = self.clock.now()
        known = replace(known, deferred=self._deferred(known, now), history=self.history())
        resources, sources = population(known, self._fixed, self._whose(now))
        if phase is Phase.DESTROY:  # what is wrong with a fleet is no reason to keep it
            sources = [each for each in sources if each.kind == "steps"]
        with memory_limit():
            found = judged(known, resources, sources, self._policy, phase)
        whole, engine = found.assessment, {subject.urn for subject in resources}
        report = reported(
            whole, sources, self._policy, self._about.at(phase.value), self.clock.now(), _not_checked(known),
            deferred=self._shown(known, whole, phase),
        )  # fmt: skip
        late = {(each.rule, each.subject) for each in known.deferred} if phase is Phase.LIVE else ()
        return Judgement(report_rows(whole, engine, late, found.beyond), report)

    def _deferred(self, known: Known, now: datetime) -> list[Deferred]:
        """Pairs that this run's plan left for later; where it planned nothing, those of the last up."""
        if known.steps:
            for pair in deferred(known.engine, now):
                self.planned.setdefault((pair.rule, pair.subject), pair)
            return list(self.planned.values())
        return list(self.earlier())

    def _shown(self, known: Known, found: Assessment, phase: Phase) -> Sequence[Deferred]:
        """The pairs, with what settles them where that is known at this phase."""
        if phase is not Phase.LIVE:
            return known.deferred
        ids = [subject.urn for subject in found.subjects]
        return shown(known.deferred, found.matrix, ids, self.clock.now())

    @cached_property
    def _about(self) -> Occasion:
        return self.occasion()

    @cached_property
    def _policy(self) -> Policy:
        # Not when the run began: the engine's pack has noted verdicts since then, which would be later.
        judged = (self.target.loaded.path,)
        now = self.clock.now()
        return open_policy(self.settings, now, clock_suspect=self.clock_suspect, judged=judged)

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
            with_play({f"roles/{name}": text for name, text in roles.items()}),
            shipped_parts(self.settings.playbooks),
            read_feed(feed) if (feed := _feed(self.settings)) else None,
        )

    def _whose(self, now: datetime) -> Whose:
        fleet = self.target.loaded.fleet
        tags, policy = fleet_tags(fleet), self._policy
        believed = None if policy.seen.clock_suspect else now
        return Whose(fleet.stack, tags, believed, ceiling=policy.holding.ceilings.as_fact(tags))


def _not_checked(known: Known) -> list[NotChecked]:
    left = [_SHIPPED]
    left += hosts_not_checked({**known.unreached, **known.left_out})
    left += [
        NotChecked(what=f"the {source}", why="nobody looked at it", next_step=LOOK)
        for source, each in known.listings.items()
        if not each.get("looked_at")
    ]
    left += [] if known.hosts or known.unreached or known.left_out else [_HOSTS]
    left += [_BACKUPS] if known.backups is None else []
    left += [_COSTS] if known.costs is None else []
    return left


def _feed(settings: Settings) -> Path | None:
    """The one that was named, else the one in STEWARD_HOME, else none."""
    own = settings.home / "feed.json"
    return settings.feed or (own if own.exists() else None)
