"""Composition of what judges: the policy of this installation, who asks, and what is to be judged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.circumstances import origin_of
from orchestrator.clock import new_run_id
from orchestrator.evidence.folder import found_in
from orchestrator.evidence.last import clock_went_back, head_of
from orchestrator.judging.about import circumstances
from orchestrator.judging.beside import read_expected, read_feed
from orchestrator.judging.check import judged, reported, unchanged
from orchestrator.judging.sources import Source, Whose, fleet_tags, heard, is_fleet, read_source
from orchestrator.judging.together import together
from orchestrator.policy_reference import open_policy
from orchestrator.reporting.humanise import plural
from orchestrator.reporting.policy.model import NotChecked, PolicyReport
from orchestrator.settings import Settings
from policies.assessment import Assessment
from policies.limits import memory_limit
from policies.model import Phase
from policies.subjects.fleet import fleet_subjects, server_names
from policies.subjects.population import fleet_listing

if TYPE_CHECKING:
    from stacks.fleet.loader import LoadedFleet


@dataclass(frozen=True)
class Asked:
    """Files to judge, and the fleet that they belong to where they do not say so.

    `expected` and `feed`: files of what is set beside facts of hosts.
    """

    files: Sequence[Path]
    fleet: Path | None = None
    changed_since: str = ""
    expected: Path | None = None
    feed: Path | None = None


def assess_files(settings: Settings, asked: Asked) -> Assessment:
    """What rules say of saved files, as `check_files` reports it. Raises InputError."""
    return _judged(settings, asked)[0]


def check_files(settings: Settings, asked: Asked) -> PolicyReport:
    """The judgement of saved files; asks no engine, no cloud and no host. Raises InputError."""
    return _judged(settings, asked)[1]


def _judged(settings: Settings, asked: Asked) -> tuple[Assessment, PolicyReport]:
    started = datetime.now(UTC)
    suspect = clock_went_back(settings.home, started)
    policy = open_policy(settings, started, clock_suspect=suspect, judged=_fleet_files(asked))
    fleets = {path: loaded for path in asked.files if (loaded := _fleet_in(settings, path))}
    whose = _whose(_named(settings, asked, fleets), asked, None if policy.seen.clock_suspect else started)
    whose = replace(whose, ceiling=policy.holding.ceilings.as_fact(whose.tags))
    sources = together([_source(path, fleets.get(path), whose) for path in asked.files], whose)
    only, silent = heard(sources), sum(len(source.subjects) for source in sources if source.silent)
    left_out = [_silent(silent)] if silent else []
    if asked.changed_since:
        same = unchanged(sources, _earlier(settings, asked, whose)) & only
        only -= same
        left_out += [_left_out(len(same), asked.changed_since)] if same else []
    with memory_limit():
        found = judged(sources, policy, Phase.OFFLINE, only)
    who = _who(sources, whose)
    about = circumstances(origin_of(settings), "offline", new_run_id(started), started, *who)
    about = replace(about, chain_head=_chain_head(settings, who[0]))
    return found, reported(found, sources, policy, about, datetime.now(UTC), left_out)


def _fleet_files(asked: Asked) -> Sequence[Path]:
    return [*filter(None, [asked.fleet]), *(path for path in asked.files if is_fleet(path))]


def _chain_head(settings: Settings, stack: str) -> str:
    """Of the one chain of that stack; '' where there are several by that name, or none."""
    chains = [each for each in found_in(settings.home) if each.name == stack]
    return head_of(chains[0]) if len(chains) == 1 else ""


def _read_fleet(settings: Settings, path: Path) -> LoadedFleet:
    from orchestrator.app_fleet import read_fleet  # its weight is for those who name a fleet

    return read_fleet(settings, path)


def _fleet_in(settings: Settings, path: Path) -> LoadedFleet | None:
    return _read_fleet(settings, path) if is_fleet(path) else None


def _source(path: Path, loaded: LoadedFleet | None, whose: Whose) -> Source:
    if loaded is None:
        return read_source(path, whose)
    fleet = loaded.fleet.model_dump(mode="json")
    found, digest = fleet_subjects(fleet), hashlib.sha256(path.read_bytes()).hexdigest()
    return Source(path.name, "fleet file", tuple(found), digest, listed={"fleet": fleet_listing(fleet)})


def _named(settings: Settings, asked: Asked, fleets: Mapping[Path, LoadedFleet]) -> LoadedFleet | None:
    """The fleet that was named, else the only fleet file among the files."""
    if asked.fleet:
        return fleets.get(asked.fleet) or _read_fleet(settings, asked.fleet)
    return next(iter(fleets.values())) if len(fleets) == 1 else None


def _whose(named: LoadedFleet | None, asked: Asked, now: datetime | None) -> Whose:
    expected = read_expected(asked.expected) if asked.expected else {}
    feed = read_feed(asked.feed) if asked.feed else None
    if named is None:
        return Whose("", {}, now, expected, feed)
    spec = named.fleet
    servers = tuple(server_names(spec.model_dump(mode="json")))
    return Whose(spec.stack, fleet_tags(spec), now, expected, feed, servers)


def _who(sources: Sequence[Source], whose: Whose) -> tuple[str, str, str]:
    """Stack, client and environment: of the fleet that was named, else of the one stack in the files."""
    stacks = {subject.stack for source in sources for subject in source.subjects if subject.stack}
    if whose.stack or len(stacks) != 1:
        return whose.stack, whose.tags.get("client", ""), whose.tags.get("environment", "")
    (stack,) = stacks
    client, _, environment = stack.rpartition("-")  # an environment has no dash
    return stack, client, environment


def _earlier(settings: Settings, asked: Asked, whose: Whose) -> list[Source]:
    from orchestrator.earlier_files import earlier

    found = [
        earlier(path, asked.changed_since, lambda then: _source(then, _fleet_in(settings, then), whose))
        for path in asked.files
    ]
    return together([source for source in found if source is not None], whose)


def _left_out(count: int, ref: str) -> NotChecked:
    return NotChecked(
        what=plural(count, "subject"),
        why=f"unchanged since {ref}",
        next_step="Judge all of them without --changed-since.",
    )


def _silent(count: int) -> NotChecked:
    return NotChecked(
        what=plural(count, "host"),
        why="the fleet has them, and no facts of them were given",
        next_step="Collect them: steward verify --fleet FILE",
    )
