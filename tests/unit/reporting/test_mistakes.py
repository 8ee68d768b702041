"""Mistakes of a fleet file in windows of every width: no word is cut, and nothing is lost."""

from __future__ import annotations

import pytest

from orchestrator.reporting.columns import columns, laid
from orchestrator.reporting.mistakes import mistakes_text
from stacks.fleet.mistakes import FleetInvalid, Mistake

PROBLEM = FleetInvalid(
    "demo.yaml",
    [
        Mistake(
            ("networks", "app", "cidr"), "'10.41.0.0/33' is no network; write one such as 10.41.0.0/24", 3
        ),
        Mistake(("servers", "web", "network"), "no network named 'ap'; known: app. Did you mean 'app'?", 9),
        Mistake(
            ("servers", "web", "volumes", "pages-of-all-customers", "mount"), "write an absolute path", 12
        ),
        Mistake(("servers", "db", "size"), "write a size; a wide name is 表表表表表", 4, "common/shop.yaml"),
    ],
)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_window_and_no_word_is_cut(width: int) -> None:
    text = mistakes_text(PROBLEM, width)
    assert all(columns(line) <= width for line in text.splitlines())
    assert not any(line != line.rstrip() for line in text.splitlines())
    told = set(text.split())
    for each in PROBLEM.mistakes:
        assert set(each.message.split()) <= told
    assert "".join(text.split()) == "".join(str(PROBLEM).split()), "the same words as in a pipe"


def test_places_stand_beside_their_messages_where_there_is_room() -> None:
    lines = mistakes_text(PROBLEM, 80).splitlines()
    assert lines[:2] == ["demo.yaml: 4 mistakes, nothing was changed", ""]
    beside = next(line for line in lines if line.startswith("  networks.app.cidr "))
    assert beside.index("'10.41.0.0/33'") == 38
    below = lines[lines.index("  servers.web.volumes.pages-of-all-customers.mount") + 1]
    assert below == " " * 38 + "write an absolute path   line 12"


def test_a_narrow_window_has_messages_below_their_places() -> None:
    lines = mistakes_text(PROBLEM, 40).splitlines()
    at = lines.index("  servers.web.network")
    assert lines[at + 1 : at + 3] == [
        "    no network named 'ap'; known: app.",
        "    Did you mean 'app'?   line 9",
    ]
    at = lines.index("  servers.web.volumes.")
    assert lines[at + 1] == "    pages-of-all-customers.mount"
    assert any(line.endswith("line 4 of common/shop.yaml") for line in lines)


def test_a_word_that_is_wider_than_the_window_stays_whole_on_a_line_of_its_own() -> None:
    assert list(laid(["a", "b" * 50, "c"], 30, first="  ", then="    ")) == [
        "  a",
        "    " + "b" * 50,
        "    c",
    ]
