"""A file to `Fleet`: the one place where raw text becomes trusted values. All mistakes come at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from stacks.fleet.explain import MOST_MISTAKES, explain
from stacks.fleet.include import Family, Unreadable, bytes_of
from stacks.fleet.mistakes import FleetInvalid, Mistake, Place, RoleCheck, shown_value
from stacks.fleet.model import Fleet
from stacks.fleet.parts import parts_of
from stacks.fleet.reader import Document, NotYaml, Spot
from stacks.fleet.references import mistakes


@dataclass(frozen=True)
class LoadedFleet:
    """A valid fleet with where it came from.

    `digest` is the SHA-256 of the file's bytes in hex; where it includes others, of all of them together.
    """

    fleet: Fleet
    path: Path
    digest: str
    included: tuple[Path, ...] = ()
    spots: Mapping[Place, Spot] = field(default_factory=dict, repr=False, compare=False)

    def placed(self, mistake: Mistake) -> Mistake:
        """A mistake that shows only beside other files, with the line of its place in this one."""
        return _placed(mistake, self.spots)


def load(path: Path, role_check: RoleCheck | None = None) -> LoadedFleet:
    """Read and check a fleet file with all it includes; raises FleetInvalid, and OSError never."""
    try:
        raw = bytes_of(path)
    except Unreadable as problem:
        message = f"{problem}. Name a fleet file that exists."
        raise FleetInvalid(str(path), [Mistake((), message)]) from problem
    family = Family(path, raw)
    fleet, spots = _fleet(family, raw, path.name, role_check)
    return LoadedFleet(fleet, path.absolute(), family.digest(), tuple(family.files), spots)


def parse(raw: bytes, source: str, role_check: RoleCheck | None = None) -> Fleet:
    """Check the bytes of a fleet file that includes nothing; raises FleetInvalid."""
    return _fleet(Family(None, raw), raw, source, role_check)[0]


def _fleet(
    family: Family, raw: bytes, source: str, role_check: RoleCheck | None
) -> tuple[Fleet, Mapping[Place, Spot]]:
    try:
        document = family.document(raw)
    except NotYaml as problem:
        raise FleetInvalid(source, [Mistake((), problem.message, problem.line)]) from problem
    if not isinstance(document.values, dict):
        message = f"a fleet is a mapping of keys, not {shown_value(document.values)}. Begin with version: 1."
        raise FleetInvalid(source, [*document.mistakes, Mistake((), message)])
    if family.unread:
        raise FleetInvalid(source, document.mistakes)
    return _judged(document, source, role_check), document.spots


def _judged(document: Document, source: str, role_check: RoleCheck | None) -> Fleet:
    found = list(document.mistakes)
    fleet: Fleet | None = None
    try:
        fleet = Fleet.model_validate(document.values)
    except ValidationError as problem:
        found.extend(explain(problem))
    found.extend(islice(mistakes(parts_of(document.values, fleet), role_check), MOST_MISTAKES))
    if fleet is None or found:
        if len(found) > MOST_MISTAKES:
            found[MOST_MISTAKES:] = [Mistake((), f"more than {MOST_MISTAKES} mistakes; mend these first")]
        raise FleetInvalid(source, [_placed(each, document.spots) for each in found])
    return fleet


def _placed(mistake: Mistake, spots: Mapping[Place, Spot]) -> Mistake:
    """A mistake with the line of its place, or of the nearest place above it that a file has."""
    place = mistake.place
    if mistake.line is not None:
        return mistake
    spot = next((spots[place[:end]] for end in range(len(place), 0, -1) if place[:end] in spots), None)
    return replace(mistake, line=spot.line, source=spot.source) if spot else mistake
