"""Which networks share addresses, and which range nobody has."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.fleet.overlap import free_beside, in_the_way, overlapping

ranges = st.builds(
    lambda place, prefix: IPv4Network((0x0A000000 | (place << 8 & 0xFFFFFF), prefix), strict=False),
    st.integers(0, 0xFFFF),
    st.integers(12, 28),
)


@given(st.lists(ranges, max_size=12))
def test_the_pairs_are_those_that_comparing_each_with_each_gives(networks: list[IPv4Network]) -> None:
    named = list(enumerate(networks))
    found = {frozenset((one, other)) for (one, _), (other, _) in overlapping(named)}
    assert found == {
        frozenset((one, other)) for one, a in named for other, b in named if one < other and a.overlaps(b)
    }


@given(ranges, st.lists(ranges, max_size=12))
def test_what_is_in_the_way_of_one_network_overlaps_it(
    network: IPv4Network, others: list[IPv4Network]
) -> None:
    found = in_the_way(network, [(f"n{number}", other) for number, other in enumerate(others)])
    assert (found is not None) == any(network.overlaps(other) for other in others)
    assert found is None or network.overlaps(found[1])


@given(ranges, st.lists(ranges, max_size=12))
def test_a_free_range_has_the_size_and_nobody_has_it(network: IPv4Network, others: list[IPv4Network]) -> None:
    free = free_beside(network, [network, *others])
    assert free is not None
    assert free.prefixlen == network.prefixlen
    assert free.subnet_of(IPv4Network("10.0.0.0/8"))
    assert not any(free.overlaps(each) for each in (network, *others))


@pytest.mark.parametrize(
    ("network", "taken", "free"),
    [
        ("10.41.0.0/24", ["10.41.0.0/24"], "10.41.1.0/24"),
        ("10.41.0.0/24", ["10.41.0.0/22", "10.41.4.0/25"], "10.41.5.0/24"),
        ("10.255.255.0/24", ["10.255.255.0/24", "10.0.0.0/24"], "10.0.1.0/24"),
        ("192.168.0.0/24", ["192.168.0.0/16"], None),
        ("203.0.113.0/24", ["203.0.113.0/24"], None),
    ],
    ids=["the next one", "behind a wider one", "below, at the end", "none is left", "not a private one"],
)
def test_the_nearest_free_range(network: str, taken: list[str], free: str | None) -> None:
    found = free_beside(IPv4Network(network), map(IPv4Network, taken))
    assert found == (IPv4Network(free) if free else None)
