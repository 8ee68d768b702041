"""What only all files together tell: a host by all its documents, and the population by all lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError
from orchestrator.judging.reading import asked
from orchestrator.judging.sources import FACTS, RECORDS, Source, Whose
from policies.facts import Facts, Unknown
from policies.model import Kind, Subject
from policies.subjects.backups import silent_record
from policies.subjects.hosts import host_subjects
from policies.subjects.population import Listing, reconcile

SILENT: Final = "hosts without facts"
UNRECORDED: Final = "backups without a record"
_WHY: Final = "no facts of this host were given"
_NO_RECORD: Final = "no record of this plan and server was given"


def together(sources: Sequence[Source], whose: Whose) -> list[Source]:
    """The sources with the hosts that their documents tell of, and what only their union tells."""
    return [*_with_hosts(sources, whose), *_silent_records(sources, whose), *_population(sources, whose)]


def _silent_records(sources: Sequence[Source], whose: Whose) -> list[Source]:
    """The backups that the fleet asks for and no record tells of, where records were given at all."""
    told = {subject.name for source in sources if source.kind == RECORDS for subject in source.subjects}
    if not told:
        return []
    missing = tuple(
        silent_record(name, _NO_RECORD, stack=whose.stack, tags=whose.tags)
        for name in whose.records
        if name not in told
    )
    return [Source(UNRECORDED, RECORDS, missing, "", silent=True)] if missing else []


def silent_host(name: str, why: str, whose: Whose) -> Subject:
    """A host of the fleet that told nothing, and why."""
    return Subject(
        kind=Kind.HOST_FACTS,
        type="host",
        name=name,
        urn=f"{Kind.HOST_FACTS}:{whose.stack}/{name}",
        stack=whose.stack,
        facts=Facts({"tags": whose.tags, "host": Unknown(why)}),
        witness="nobody",
    )


def _with_hosts(sources: Sequence[Source], whose: Whose) -> list[Source]:
    """Each host once by its newest document, in every source that has one of it."""
    documents = [each for source in sources for each in source.facts]
    if not documents:
        return list(sources)
    names = Path(", ".join(source.name for source in sources if source.facts))
    hosts = asked(
        names,
        lambda: host_subjects(
            documents,
            stack=whose.stack,
            tags=whose.tags,
            expected=whose.expected,
            feed=whose.feed,
            now=whose.now,
        ),
    )
    by_name = {subject.name: subject for subject in hosts}
    told = [
        replace(source, subjects=tuple(by_name[name] for name in _hosts_in(source)))
        if source.facts
        else source
        for source in sources
    ]
    missing = tuple(silent_host(name, _WHY, whose) for name in whose.servers if name not in by_name)
    return [*told, *([Source(SILENT, FACTS, missing, "", silent=True)] if missing else [])]


def _hosts_in(source: Source) -> Sequence[str]:
    return list(dict.fromkeys(str(document["host"]) for document in source.facts))


def _population(sources: Sequence[Source], whose: Whose) -> list[Source]:
    """Every member that a list names, where two can be compared; one list alone has nobody to differ from."""
    stacks: dict[str, dict[str, Listing | None]] = {}
    for source in sources:
        own = next((subject.stack for subject in source.subjects), whose.stack)
        listings = stacks.setdefault(own, {})
        for lister, listing in source.listed.items():
            if lister in listings:
                raise InputError(
                    "policy check", f"two files say what the {lister} of {own or 'no stack'} lists",
                    place=source.name, next_step="Give the newer one alone.",
                )  # fmt: skip
            listings[lister] = listing
    members = [
        member
        for stack, listings in stacks.items()
        if sum(listing is not None for listing in listings.values()) > 1
        for member in _members(stack, listings, whose)
    ]
    return [Source("population", "listings", tuple(members), "")] if members else []


def _members(stack: str, listings: Mapping[str, Listing | None], whose: Whose) -> Sequence[Subject]:
    said = (listings.get(lister) for lister in ("fleet", "state", "provider", "vault"))
    return reconcile(*said, stack=stack, tags=whose.tags if stack == whose.stack else {})
