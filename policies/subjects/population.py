"""The population: what the fleet file, the engine's state, the provider and the vault each say there is.

Each says it as a `Listing`; their union are the members, with who saw what. A source that was not looked at
is unknown for every member; one that does not list a type of thing says nothing about it, which is neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policies.facts import Facts, MalformedFactError, Unknown, UnknownFactError, shown
from policies.model import Kind, Subject
from policies.subjects.document import DocumentError, records
from policies.subjects.fleet import server_names

MEMBER: Final = "member"
SCHEMA: Final = "steward.listing/1"
MADE: Final = ("server", "network", "volume", "bucket", "backup_plan")
"""What both a fleet file and the engine's state name."""
REPOSITORY: Final = "repository"
_SOURCES: Final[Mapping[str, Sequence[str]]] = {
    "fleet": (*MADE, REPOSITORY),
    "state": MADE,
    "provider": ("server", "network", "volume", "bucket"),
    "vault": (REPOSITORY,),
}
"""What each could tell of, when it is not looked at."""
_IDENTITY: Final = {
    "server": "incarnation",
    "network": "networkId",
    "volume": "volumeId",
    "bucket": "bucketId",
}
"""The fact of each type that tells one of a name from another of that name."""

Key = tuple[str, str]
"""Neutral type and name."""


@dataclass(frozen=True)
class Listing:
    """What one source says there is: the types that it lists, and identities by type and name, '' unknown."""

    types: frozenset[str]
    members: Mapping[Key, frozenset[str]]


def reconcile(
    fleet: Listing | None,
    state: Listing | None,
    provider: Listing | None,
    vault: Listing | None,
    *,
    stack: str,
    tags: Mapping[str, object],
) -> list[Subject]:
    """Every member that any of the four lists, in order; None is a source that was not looked at."""
    listings = dict(zip(_SOURCES, (fleet, state, provider, vault), strict=True))
    keys = {key for listing in listings.values() if listing for key in listing.members}
    return [_member(key, listings, stack, tags) for key in sorted(keys)]


def _member(
    key: Key, listings: Mapping[str, Listing | None], stack: str, tags: Mapping[str, object]
) -> Subject:
    kind, name = key
    sources = [source for source, listing in listings.items() if listing and key in listing.members]
    identities = {source: _identities(key, listing) for source, listing in listings.items()}
    facts = {
        "name": name,
        "tags": tags,
        "memberType": kind,
        **{f"seenBy{source.capitalize()}": _seen(key, source, listings[source]) for source in _SOURCES},
        "identities": [
            {"source": source, "identity": each} for source in _SOURCES for each in identities[source]
        ],
    }
    return Subject(
        kind=Kind.RESOURCE,
        type=MEMBER,
        name=f"{shown(kind)}/{shown(name)}",
        urn=f"{MEMBER}:{stack}/{shown(kind)}/{shown(name)}",
        stack=stack,
        facts=Facts(facts),
        source_type=SCHEMA,
        witness=" and ".join(sources),
    )


def _seen(key: Key, source: str, listing: Listing | None) -> bool | Unknown | None:
    if listing is None:
        return Unknown(f"the {source} was not looked at") if key[0] in _SOURCES[source] else None
    return key in listing.members if key[0] in listing.types else None


def _identities(key: Key, listing: Listing | None) -> Sequence[str]:
    """A repository has the identity of the server that writes to it, as the state tells it."""
    if listing is None:
        return ()
    found = listing.members.get(key, frozenset())
    if not found and key[0] == REPOSITORY:
        found = listing.members.get(("server", key[1]), frozenset())
    return sorted(identity for identity in found if identity)


def fleet_listing(fleet: Mapping[str, object]) -> Listing:
    """What a fleet file (as JSON) asks for; it knows no identities. Raises DocumentError."""
    keys: set[Key] = set()
    for name, group in server_names(fleet).items():
        spec = _table(_table(fleet, "servers"), group)
        keys.add(("server", name))
        keys |= {("volume", f"{name}-{volume}") for volume in _table(spec, "volumes")}
        if spec.get("backup"):
            keys.add((REPOSITORY, name))
    for part, kind in (("networks", "network"), ("storage", "bucket"), ("backups", "backup_plan")):
        keys |= {(kind, name) for name in _table(fleet, part)}
    return Listing(frozenset({*MADE, REPOSITORY}), dict.fromkeys(keys, frozenset()))


def state_listing(subjects: Sequence[Subject]) -> Listing:
    """What the engine has in its state, by the subjects made of it."""
    found: dict[Key, set[str]] = {}
    for subject in subjects:
        if subject.type in MADE:
            found.setdefault((subject.type, subject.name), set()).add(_identity(subject))
    return Listing(frozenset(MADE), {key: frozenset(each) for key, each in found.items()})


def _identity(subject: Subject) -> str:
    try:
        return subject.facts.text_or_none(_IDENTITY.get(subject.type, "")) or ""
    except (UnknownFactError, MalformedFactError):
        return ""


def listed(source: str, types: Sequence[str], entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """All of these types that a source has; each entry is {type, name, identity}."""
    return {"schema": SCHEMA, "source": source, "looked_at": True, "types": [*types], "entries": [*entries]}


def not_looked_at(source: str) -> dict[str, Any]:
    """A listing of a source that nobody asked: what it has is unknown, which is not the same as nothing."""
    return {"schema": SCHEMA, "source": source, "looked_at": False, "types": [], "entries": []}


def read_listing(document: object) -> Listing | None:
    """A document `steward.listing/1`: `looked_at`, `types`, and `entries` {type, name, identity}.

    None where it says that nobody looked; raises DocumentError that names the place.
    """
    rows = records(document, SCHEMA, "entries")
    values = document if isinstance(document, Mapping) else {}
    looked_at, types = values.get("looked_at"), values.get("types")
    if looked_at is False and not rows:
        return None
    if looked_at is not True or not isinstance(types, list) or not all(isinstance(t, str) for t in types):
        raise DocumentError(
            f"{SCHEMA}: expected looked_at true and types as a list of texts, got {shown(looked_at)} and "
            f"{shown(types)}; write the listing again"
        )
    found: dict[Key, set[str]] = {}
    for place, row in enumerate(rows):
        kind, name = row.get("type"), row.get("name")
        if not isinstance(kind, str) or kind not in types or not isinstance(name, str) or not name:
            raise DocumentError(
                f"{SCHEMA}: entries[{place}]: expected a type among types and a name, got {shown(kind)} and "
                f"{shown(name)}"
            )
        identity = row.get("identity")
        found.setdefault((kind, name), set()).add(identity if isinstance(identity, str) else "")
    return Listing(frozenset(types), {key: frozenset(each) for key, each in found.items()})


def _table(values: Mapping[str, object], key: str) -> Mapping[str, Mapping[str, object]]:
    found = values.get(key) or {}
    if not isinstance(found, Mapping):
        raise DocumentError(f"fleet: {key}: expected a mapping, got {shown(found)}; give a valid fleet")
    return found
