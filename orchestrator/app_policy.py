"""Composition of what judges: the policy of this installation, who asks, and what is to be judged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.clock import new_run_id
from orchestrator.judging.about import circumstances
from orchestrator.judging.check import judged, reported, unchanged
from orchestrator.judging.sources import Source, Whose, fleet_tags, is_fleet, read_source
from orchestrator.policy_reference import open_policy
from orchestrator.reporting.policy.model import NotChecked, PolicyReport
from orchestrator.settings import Settings
from policies.limits import memory_limit
from policies.model import Phase
from policies.subjects.fleet import fleet_subjects


@dataclass(frozen=True)
class Asked:
    """Files to judge, and the fleet that they belong to where they do not say so."""

    files: Sequence[Path]
    fleet: Path | None = None
    changed_since: str = ""


def check_files(settings: Settings, asked: Asked) -> PolicyReport:
    """The judgement of saved files; asks no engine, no cloud and no host. Raises InputError."""
    started = datetime.now(UTC)
    whose = _whose(settings, asked.fleet, started)
    sources = [_source(settings, path, whose) for path in asked.files]
    policy = open_policy(settings, started)
    only, left_out = None, list[NotChecked]()
    if asked.changed_since:
        same = unchanged(sources, _earlier(asked, whose))
        only = {subject.urn for source in sources for subject in source.subjects} - same
        left_out = [_left_out(len(same), asked.changed_since)] if same else []
    with memory_limit():
        found = judged(sources, policy, Phase.OFFLINE, settled=False, only=only)
    about = circumstances(settings, "offline", new_run_id(started), started, *_who(sources, whose))
    return reported(found, sources, policy, about, datetime.now(UTC), left_out)


def _source(settings: Settings, path: Path, whose: Whose) -> Source:
    if not is_fleet(path):
        return read_source(path, whose)
    from orchestrator.app_fleet import read_fleet

    spec = read_fleet(settings, path).fleet
    found = fleet_subjects(spec.model_dump(mode="json"))
    return Source(path.name, "fleet file", tuple(found), hashlib.sha256(path.read_bytes()).hexdigest())


def _whose(settings: Settings, fleet: Path | None, now: datetime) -> Whose:
    if fleet is None:
        return Whose("", {}, now)
    from orchestrator.app_fleet import read_fleet

    spec = read_fleet(settings, fleet).fleet
    return Whose(spec.stack, fleet_tags(spec), now)


def _who(sources: Sequence[Source], whose: Whose) -> tuple[str, str, str]:
    """Stack, client and environment: of the fleet that was named, else of the one stack in the files."""
    stacks = {subject.stack for source in sources for subject in source.subjects if subject.stack}
    if whose.stack or len(stacks) != 1:
        return whose.stack, whose.tags.get("client", ""), whose.tags.get("environment", "")
    (stack,) = stacks
    client, _, environment = stack.partition("-")
    return stack, client, environment


def _earlier(asked: Asked, whose: Whose) -> list[Source]:
    from orchestrator.earlier_files import earlier_source

    found = (earlier_source(path, asked.changed_since, whose) for path in asked.files)
    return [source for source in found if source is not None]


def _left_out(count: int, ref: str) -> NotChecked:
    return NotChecked(
        what=f"{count} subjects",
        why=f"they are as they were at {ref}",
        next_step="Judge all of them without --changed-since.",
    )
