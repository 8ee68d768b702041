"""Composition of what judges: the policy of this installation, who asks, and what is to be judged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.circumstances import commit_ahead, origin_of
from orchestrator.clock import new_run_id
from orchestrator.errors import InputError
from orchestrator.evidence.folder import found_in
from orchestrator.evidence.last import clock_went_back, head_of
from orchestrator.judging.beside import read_expected, read_feed
from orchestrator.judging.check import judged, reported, unchanged
from orchestrator.judging.sources import Source, Whose, fleet_tags, heard, is_fleet, read_source
from orchestrator.judging.together import together
from orchestrator.policy_reference import Policy, open_policy
from orchestrator.settings import Settings
from policies.assessment import Assessment
from policies.limits import memory_limit
from policies.model import Phase, Subject
from policies.sharing import Sharing, processors
from policies.subjects.fleet import backup_names, fleet_subjects, server_names
from policies.subjects.population import fleet_listing

if TYPE_CHECKING:
    from orchestrator.reporting.policy.model import PolicyReport
    from orchestrator.reporting.policy.subjects import Listed
    from stacks.fleet.loader import LoadedFleet


@dataclass(frozen=True)
class Asked:
    """Files to judge, and the fleet that they belong to where they do not say so.

    `expected` and `feed`: files of what is set beside facts of hosts. `as_of`: the moment that ages count to,
    where it is not now.
    """

    files: Sequence[Path]
    fleet: Path | None = None
    changed_since: str = ""
    expected: Path | None = None
    feed: Path | None = None
    as_of: datetime | None = None


def assess_files(settings: Settings, asked: Asked) -> Assessment:
    """What rules say of saved files, as `check_files` reports it. Raises InputError."""
    return _judged(settings, asked)[0]


def check_files(settings: Settings, asked: Asked) -> PolicyReport:
    """The judgement of saved files; asks no engine, no cloud and no host. Raises InputError."""
    return _judged(settings, asked)[1]


def _judged(settings: Settings, asked: Asked) -> tuple[Assessment, PolicyReport]:
    started, commit = datetime.now(UTC), commit_ahead(settings.project)
    suspect = clock_went_back(settings.home, started)
    policy = open_policy(settings, started, clock_suspect=suspect, judged=_fleet_files(asked))
    fleets = {path: loaded for path in asked.files if (loaded := _fleet_in(settings, path))}
    whose = _whose(_named(settings, asked, fleets), asked, _moment_of(asked, started, policy))
    whose = replace(whose, ceiling=policy.holding.ceilings.as_fact(whose.tags))
    sources = together([_source(path, fleets.get(path), whose) for path in asked.files], whose)
    only, same = heard(sources), frozenset[str]()
    if asked.changed_since:
        same = unchanged(sources, _earlier(settings, asked, whose)) & only
        only -= same
    # Before the judgement: a judge that has other threads shares out nothing.
    origin = origin_of(settings, commit())
    listed: list[Listed] = []
    sharing = Sharing(processors(), lambda *judged: listed.append(_listed(*judged)))
    with memory_limit():
        found = judged(sources, policy, Phase.OFFLINE, only, sharing)
    from orchestrator.judging.about import occasion  # with the models of the report, as below
    from orchestrator.judging.unasked import not_checked

    who = _who(sources, whose)
    about = occasion(origin, "offline", new_run_id(started), started, *who)
    about = replace(about, chain_head=_chain_head(settings, who[0]), as_of=asked.as_of)
    unasked = dict.fromkeys(same, f"unchanged since {asked.changed_since}")
    silent = not_checked(sources, asked.as_of, len(same), asked.changed_since)
    return found, reported(
        found, sources, policy, about, datetime.now(UTC), silent,
        left_out=unasked, listed=listed[-1] if listed else None,
    )  # fmt: skip


def _listed(subjects: Sequence[Subject], profiles: Sequence[str]) -> Listed:
    """What this process does while copies of it judge: to load what makes a report, and to begin it."""
    from orchestrator.judging import about  # noqa: F401
    from orchestrator.reporting.policy import exceptions, text  # noqa: F401
    from orchestrator.reporting.policy.subjects import listed

    return listed(subjects, profiles)


def _moment_of(asked: Asked, started: datetime, policy: Policy) -> datetime | None:
    """What ages count to: the moment that was named, else now; None where the clock is not to be believed."""
    if asked.as_of is None:
        return None if policy.seen.clock_suspect else started
    if asked.as_of > started:
        raise InputError(
            "--as-of", "lies in the future, when what is late now would be early",
            rule="a moment that has passed", got=asked.as_of.isoformat(),
            next_step="Leave it out to judge as of now.",
        )  # fmt: skip
    return asked.as_of


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
    body = spec.model_dump(mode="json")
    servers, records = tuple(server_names(body)), tuple(backup_names(body))
    return Whose(spec.stack, fleet_tags(spec), now, expected, feed, servers, records)


def _who(sources: Sequence[Source], whose: Whose) -> tuple[str, str, str]:
    """Stack, client and environment: of the fleet that was named, else of the one stack in the files."""
    stacks = {subject.stack for source in sources for subject in source.subjects if subject.stack}
    if whose.stack or len(stacks) != 1:
        return whose.stack, whose.tags.get("client", ""), whose.tags.get("environment", "")
    (stack,) = stacks
    client, _, environment = stack.rpartition("-")  # an environment has no dash
    return stack, client, environment


def _earlier(settings: Settings, asked: Asked, whose: Whose) -> list[Source]:
    from orchestrator.earlier_files import earlier, refuse_itself

    refuse_itself(asked.files, asked.changed_since)
    found = [
        earlier(path, asked.changed_since, lambda then: _source(then, _fleet_in(settings, then), whose))
        for path in asked.files
    ]
    return together([source for source in found if source is not None], whose)
