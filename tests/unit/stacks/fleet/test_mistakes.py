"""How a mistake is shown."""

from __future__ import annotations

import pytest

from stacks.fleet.mistakes import FleetInvalid, Mistake, nearest, shown, shown_value


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ((), "(file)"),
        (("servers", "web", "ingress", 0, "port"), "servers.web.ingress[0].port"),
        (("a\x1b", 1), r"a\x1b[1]"),
    ],
)
def test_a_place_is_a_path(place: tuple[str | int, ...], path: str) -> None:
    assert Mistake(place, "x").path == path


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb", r"a\x0ab"),
        ("\u202e", r"\u202e"),
        ("x" * 61, "x" * 60 + "…"),
        ("\x1b" * 100_000, r"\x1b" * 60 + "…"),
        (1.5, "1.5"),
    ],
)
def test_a_value_is_shown_short_and_printable(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        ("a", "'a'"),
        ({}, "an empty mapping"),
        ({"a": 1}, "a mapping with a"),
        ([1], "a list"),
    ],
)
def test_a_value_is_told_in_words_of_the_file(value: object, text: str) -> None:
    assert shown_value(value) == text


def test_known_names_are_told_and_the_nearest_one() -> None:
    assert nearest("ap", ["app", "db"]) == "known: app, db. Did you mean 'app'?"
    assert nearest("x", []) == "none is declared"
    assert nearest("zzz", [f"n{number:02d}" for number in range(20)]).endswith("n11, … (20 in all).")


def test_mistakes_come_in_the_order_of_the_file() -> None:
    problem = FleetInvalid("a\x1b.yaml", [Mistake(("b",), "two", 9), Mistake(("a",), "one", 3)])
    assert (
        str(problem) == "a\\x1b.yaml: 2 mistakes, nothing was changed\n\n  a  one   line 3\n  b  two   line 9"
    )
