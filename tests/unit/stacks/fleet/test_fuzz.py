"""Whatever stands in a leaf of a fleet file: it is valid, or it is refused in printable words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stacks.fleet.loader import parse
from stacks.fleet.mistakes import FleetInvalid, Mistake
from tests.unit.stacks.fleet.demo import TEXT

DEMO = YAML(typ="safe", pure=True).load(TEXT)
Steps = tuple[str | int, ...]


def places(node: Any, above: Steps = ()) -> Iterator[Steps]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, below in pairs:
        yield (*above, step)
        yield from places(below, (*above, step))


def with_value(node: Any, steps: Steps, value: Any) -> Any:
    if not steps:
        return value
    copy: Any = dict(node) if isinstance(node, dict) else list(node)
    copy[steps[0]] = with_value(node[steps[0]], steps[1:], value)
    return copy


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), st.text(max_size=20),
    st.sampled_from(["", "{{ lookup('pipe','id') }}", "$(id)", "../.."]),
    st.sampled_from(["a b", "\x1b[2J", "\u202e", "\ud800", "<script>", "*", "!x"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=6), below, max_size=3),
    max_leaves=6,
)


def judged(raw: bytes) -> None:
    for mistake in refused(raw):
        assert mistake.message.isprintable()
        assert mistake.path.isprintable()
        assert len(mistake.message) < 1000


def refused(raw: bytes) -> tuple[Mistake, ...]:
    try:
        parse(raw, "fuzz.yaml")
    except FleetInvalid as problem:
        return problem.mistakes or (Mistake((), "\0 refused without a mistake"),)
    return ()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(places(DEMO))), VALUES)
def test_any_value_in_any_place_is_judged(steps: Steps, value: Any) -> None:
    judged(json.dumps(with_value(DEMO, steps, value)).encode())


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 30),
    st.text(max_size=20) | st.sampled_from(list("{}[]&*!|>'\"%@`#,?:-<\t\n")),
)
def test_any_text_in_any_place_is_judged(start: int, length: int, text: str) -> None:
    judged((TEXT[:start] + text + TEXT[start + length :]).encode("utf-8", "surrogatepass"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_judged(raw: bytes) -> None:
    judged(raw)


@pytest.mark.parametrize("value", [None, [7], {"a": 1}, "\x1b x", -1.5])
def test_a_wrong_kind_of_value_in_every_place_is_judged(value: Any) -> None:
    for steps in places(DEMO):
        judged(json.dumps(with_value(DEMO, steps, value)).encode())
