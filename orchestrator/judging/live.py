"""What a run saw of what is there, as subjects: facts of hosts, the engine's state, and the population."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.judging.reading import asked
from orchestrator.judging.sources import Source, Whose
from orchestrator.judging.together import silent_host
from orchestrator.ports.policies import Known
from policies.model import Subject
from policies.subjects import hosts
from policies.subjects.backups import NO_PLAN, silent_record
from policies.subjects.fleet import backup_names
from policies.subjects.population import (
    Listing,
    fleet_listing,
    read_listing,
    reconcile,
    state_listing,
)
from policies.subjects.resources import whole


def of_state(known: Known) -> list[Subject]:
    """The resources that the engine has, each as it was made."""
    found = (step.after for step in known.state)
    return list(whole([replace(each, witness="state") for each in found if each is not None]))


def live_sources(
    known: Known,
    fleet: Mapping[str, Any],
    feed: Mapping[str, Any] | None,
    resources: Sequence[Subject],
    whose: Whose,
) -> Iterator[Source]:
    """Hosts that answered, those that did not or were not asked, and the population where it was listed."""
    if known.hosts:
        collected = [*known.earlier, *known.hosts]
        answered = asked(
            Path("facts of hosts"),
            lambda: hosts.host_subjects(
                collected,
                stack=whose.stack,
                tags=whose.tags,
                expected=known.expected,
                feed=feed,
                now=whose.now,
            ),
        )
        here = {str(each["host"]) for each in known.hosts}
        subjects = tuple(each for each in answered if each.name in here)
        yield Source("hosts", "host facts", subjects, digest_of(known.hosts))
    if known.unreached:
        silent = tuple(silent_host(server, why, whose) for server, why in known.unreached.items())
        yield Source("unreached hosts", "host facts", silent, "", silent=True)
    if known.left_out:
        unasked = tuple(silent_host(server, why, whose) for server, why in known.left_out.items())
        yield Source("hosts left out", "host facts", unasked, "", silent=True)
    unrecorded = tuple(_unrecorded(known, fleet, whose))
    if unrecorded:
        yield Source("backups left out", "backup records", unrecorded, "", silent=True)
    if known.listings:
        members = asked(Path("listings"), lambda: _members(known, fleet, resources, whose))
        yield Source("listings", "population", tuple(members), digest_of(known.listings))


def _unrecorded(known: Known, fleet: Mapping[str, Any], whose: Whose) -> Iterator[Subject]:
    """The backups of servers that told nothing, where those of the others are judged."""
    if known.backups is None:
        return
    told = {f"{each['plan'] or NO_PLAN}/{each['server']}" for each in known.backups["records"]}
    reasons = {**known.left_out, **known.unreached}
    for name in backup_names(fleet):
        if name not in told:
            why = reasons.get(name.rpartition("/")[2], "this run did not ask for it")
            yield silent_record(name, why, stack=whose.stack, tags=whose.tags)


def _members(
    known: Known, fleet: Mapping[str, Any], resources: Sequence[Subject], whose: Whose
) -> Sequence[Subject]:
    return reconcile(
        fleet_listing(fleet),
        state_listing(resources) if resources else None,
        _listing(known, "provider"),
        _listing(known, "vault"),
        stack=whose.stack,
        tags=whose.tags,
    )


def _listing(known: Known, source: str) -> Listing | None:
    return read_listing(known.listings[source]) if source in known.listings else None


def digest_of(content: object) -> str:
    """SHA-256 of a document in its canonical form."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
