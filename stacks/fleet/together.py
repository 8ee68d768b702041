"""Checks across fleets: those of the local provider share one machine, so one space of addresses. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from stacks.fleet.loader import LoadedFleet
from stacks.fleet.mistakes import Mistake, shown
from stacks.fleet.overlap import free_beside, overlapping

_ON_THIS_MACHINE = "local"


@dataclass(frozen=True, order=True)
class _Network:
    """One network of one of the fleets, both by their position: the earlier fleet is in the right."""

    fleet: int
    number: int
    name: str


def overlaps_between(fleets: Sequence[LoadedFleet]) -> Mapping[int, Sequence[Mistake]]:
    """By position of the fleet: a mistake for each network that an earlier fleet of the machine is in the way
    of, in the words of `steward plan`, and with a range that none of these fleets uses.
    """
    named = [
        (_Network(position, number, name), network.cidr)
        for position, loaded in enumerate(fleets)
        if loaded.fleet.provider == _ON_THIS_MACHINE
        for number, (name, network) in enumerate(loaded.fleet.networks.items())
    ]
    taken = [cidr for _, cidr in named]
    found: dict[int, list[Mistake]] = {}
    for late, early in sorted(_first_in_the_way(named).items()):
        cidr, other = (fleets[each.fleet].fleet.networks[each.name].cidr for each in (late, early))
        if free := free_beside(cidr, taken):
            taken.append(free)
        text = f"'{cidr}' overlaps with network '{early.name}' ({other}) of {_whose(fleets[early.fleet])}"
        mistake = Mistake(("networks", late.name, "cidr"), f"{text}, on the same machine. {_advice(free)}")
        found.setdefault(late.fleet, []).append(fleets[late.fleet].placed(mistake))
    return found


def _first_in_the_way(named: Sequence[tuple[_Network, IPv4Network]]) -> Mapping[_Network, _Network]:
    """Who is in the way of whom; of several the earliest, since one change of range settles them all."""
    found: dict[_Network, _Network] = {}
    for early, late in _of_two_fleets(named):
        found[late] = min(early, found.get(late, early))
    return found


def _of_two_fleets(named: Sequence[tuple[_Network, IPv4Network]]) -> Iterator[tuple[_Network, _Network]]:
    for (one, _), (other, _) in overlapping(named):
        if one.fleet != other.fleet:  # within one file its own check tells
            yield min(one, other), max(one, other)


def _whose(loaded: LoadedFleet) -> str:
    return f"{loaded.fleet.stack} ({shown(loaded.path.name)})"


def _advice(free: IPv4Network | None) -> str:
    return f"Choose another range, such as {free}." if free else "Choose ranges that share no address."
