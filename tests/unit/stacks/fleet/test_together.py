"""Fleets of one machine beside each other: no network of one is in the way of another's."""

from __future__ import annotations

from pathlib import Path

from stacks.fleet.loader import LoadedFleet
from stacks.fleet.together import overlaps_between
from tests.unit.stacks.fleet.demo import fleet


def fleets(*cidrs: tuple[str, ...]) -> list[LoadedFleet]:
    """Fleets f0, f1 ... with these networks, the servers in the first."""
    found = []
    for number, ranges in enumerate(cidrs):
        networks = [
            f"  {name}: {{cidr: {cidr}}}" for name, cidr in zip(("app", "b", "c"), ranges, strict=False)
        ]
        made = fleet("  app: {cidr: 10.41.0.0/24}", "\n".join(networks))
        made = made.model_copy(update={"client": f"f{number}"})
        found.append(LoadedFleet(made, Path(f"/fleets/f{number}.yaml"), "ab" * 32))
    return found


def told(*cidrs: tuple[str, ...]) -> list[tuple[int, str]]:
    found = overlaps_between(fleets(*cidrs))
    return [(at, f"{each.path}: {each.message}") for at, mistakes in found.items() for each in mistakes]


def test_fleets_that_are_apart_have_no_mistake() -> None:
    assert told(("10.41.0.0/24", "10.42.0.0/24"), ("10.43.0.0/24",)) == []
    assert overlaps_between([]) == {}


def test_the_later_fleet_is_told_what_is_in_the_way_and_a_range_nobody_has() -> None:
    ((at, text),) = told(("10.41.0.0/24", "10.41.1.0/24"), ("10.41.0.0/16", "10.50.0.0/24"))
    assert at == 1
    assert text == (
        "networks.app.cidr: '10.41.0.0/16' overlaps with network 'app' (10.41.0.0/24) of f0-demo (f0.yaml), "
        "on the same machine. Choose another range, such as 10.42.0.0/16."
    )


def test_many_fleets_of_one_range_are_told_once_each_and_no_two_are_given_the_same_one() -> None:
    found = told(*[("10.41.0.0/24",)] * 4)
    assert [at for at, _ in found] == [1, 2, 3]
    assert all("of f0-demo (f0.yaml)" in text for _, text in found)
    assert [text.rpartition(" ")[2] for _, text in found] == [
        "10.41.1.0/24.",
        "10.41.2.0/24.",
        "10.41.3.0/24.",
    ]


def test_where_nothing_is_free_no_range_is_named() -> None:
    ((_, text),) = told(("192.168.0.0/16",), ("192.168.3.0/24",))
    assert text.endswith("on the same machine. Choose ranges that share no address.")
