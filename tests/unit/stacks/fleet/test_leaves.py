"""Some values in every leaf of the example fleet; tests/stacks/test_ten_thousand.py tries many more."""

from __future__ import annotations

import pytest

from tests.unit.stacks.fleet.demo import TEXT
from tests.unit.stacks.fleet.leaves import LEAVES, judge, name_of, plan, try_leaf
from tests.unit.stacks.fleet.test_fuzz import Steps


def test_the_example_itself_plans() -> None:
    fleet = judge(TEXT.encode())
    assert fleet is not None
    plan(fleet)
    assert len(LEAVES) > 60


@pytest.mark.parametrize("steps", LEAVES, ids=name_of)
def test_any_value_of_a_leaf_is_refused_or_plans(steps: Steps) -> None:
    try_leaf(steps, 15)
