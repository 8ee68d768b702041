"""Waivers as their owners write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from time import process_time

import pytest

from policies.model import PackError
from policies.waivers import matched, parse_waivers
from tests.policies.references import WAIVER, network, waiver


def test_a_waiver_is_read_in_full() -> None:
    (found,) = parse_waivers([("W-1.yaml", WAIVER.encode())])
    assert found == replace(
        waiver(), reason="The old office still routes this range.",
        compensating_control="The edge firewall drops it.",
    )  # fmt: skip
    assert found.expires == date(2026, 11, 29)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("ticket: OPS-17\n", "", "missing: ticket"),
        ("ticket: OPS-17", "ticket: OPS-17\nforever: true", "not understood: 'forever'"),
        ("expires: 2026-11-29\n", "", "missing: expires"),
        (
            "2026-11-29",
            "2026-11-29T18:00:00",
            "expires: expected a day as 2026-12-31, got 2026-11-29 18:00:00",
        ),
        ("2026-11-29", "soon", "expected a day as 2026-12-31, got soon"),
        ("2026-11-29", "2026-10-31", "2026-10-31 is before it was created"),
        ("2026-11-29", "2026-99-99", "month must be"),
        (
            "reason: The old office still routes this range.",
            "reason: '  '",
            "reason: expected a text of at most 2000 characters, got an empty one",
        ),
        ("owner: ann@acme.example", "owner: [ann]", "expected a text"),
        ("id: W-1", "id: W-2", "is 'W-2'; name the file W-2.yaml"),
        ("id: W-1", "id: ../W-1", "expected letters, digits, dots and dashes"),
        ("id: W-1", "id: W-1\nid: W-1", "the key 'id' stands twice"),
        (WAIVER, "[]", "expected a mapping"),
    ],
)
def test_a_mistake_is_told_by_file(old: str, new: str, told: str) -> None:
    assert old in WAIVER
    with pytest.raises(PackError, match=r"^waivers/W-1\.yaml") as error:
        parse_waivers([("W-1.yaml", WAIVER.replace(old, new).encode())])
    assert told in str(error.value)


def test_an_id_is_of_one_waiver() -> None:
    files = [("W-1.yaml", WAIVER.encode()), ("w-1.yaml", WAIVER.replace("W-1", "w-1").encode())]
    with pytest.raises(PackError, match=r"^waivers/w-1.yaml.id: 'w-1' is the id of another waiver"):
        parse_waivers(files)


@pytest.mark.parametrize(
    ("subject", "places"),
    [
        ("*::app", (0,)),
        ("*Network::*", (0, 1)),
        ("urn:pulumi:acme-demo::*::app-[2]", (1,)),
        ("app", ()),
        (network("app-2").urn, (1,)),
        ("*" * 200 + "x", ()),
    ],
)
def test_a_pattern_means_whole_ids(subject: str, places: tuple[int, ...]) -> None:
    subjects = [network(), network("app-2")]
    assert matched([waiver(subject=subject)], subjects) == {"W-1": places}


def test_an_id_with_brackets_means_itself() -> None:
    odd = replace(network(), urn="host_facts:acme-demo/web[1]")
    assert waiver(subject=odd.urn).matches(odd.urn)


def test_many_waivers_for_one_subject_each_cost_no_more_than_the_subjects() -> None:
    subjects = [network(f"n{number}") for number in range(5_000)]
    waivers = [waiver(id=f"W-{number}", subject=network(f"n{number}").urn) for number in range(1_000)]
    began = process_time()
    found = matched(waivers, subjects)
    assert process_time() - began < 0.5, "five million comparisons take some seconds"
    assert found["W-7"] == (7,)
