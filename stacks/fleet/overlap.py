"""Networks that share addresses, and one that is free: asked of a file, a machine and many files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Final, TypeVar

Who = TypeVar("Who")

_PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def overlapping(
    named: Iterable[tuple[Who, IPv4Network]],
) -> Iterator[tuple[tuple[Who, IPv4Network], tuple[Who, IPv4Network]]]:
    """Pairs that overlap, in time that grows with what overlaps: CIDRs are apart or one holds the other."""
    holding: list[tuple[Who, IPv4Network]] = []
    for each in sorted(named, key=lambda one: one[1]):
        while holding and not holding[-1][1].overlaps(each[1]):
            holding.pop()
        yield from ((outer, each) for outer in holding)
        holding.append(each)


def in_the_way(
    network: IPv4Network, others: Iterable[tuple[str, IPv4Network]]
) -> tuple[str, IPv4Network] | None:
    """The first of the named networks that shares addresses with this one."""
    return next(((name, other) for name, other in others if network.overlaps(other)), None)


def free_beside(network: IPv4Network, taken: Iterable[IPv4Network]) -> IPv4Network | None:
    """The next network of its size above it that shares no address with those taken, else the lowest below.

    Private ranges alone are offered, of the same private block; None where none is left.
    """
    block = next((each for each in _PRIVATE if network.subnet_of(each)), None)
    if block is None:
        return None
    ordered = sorted(taken)
    start, size = int(network.network_address), network.num_addresses
    above = _first_free(start + size, size, ordered, block)
    return above or _first_free(int(block.network_address), size, ordered, block)


def _first_free(
    start: int, size: int, ordered: Iterable[IPv4Network], block: IPv4Network
) -> IPv4Network | None:
    """The first free place of this size at or above `start`, which is a multiple of it."""
    for each in ordered:
        if int(each.network_address) >= start + size:
            break
        if (last := int(each.broadcast_address)) >= start:
            start = (last // size + 1) * size
    if start + size - 1 > int(block.broadcast_address):
        return None
    return IPv4Network((IPv4Address(start), 32 - (size - 1).bit_length()))
