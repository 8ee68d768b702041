"""Ten thousand values in the leaves of the example fleet; every leaf gets its share."""

from __future__ import annotations

import time

from tests.unit.stacks.fleet.leaves import LEAVES, try_leaf

MUTATIONS = 10_000
MOST_SECONDS = 60
"""Of processor time, for all of them."""


def test_ten_thousand_values_are_each_refused_or_plan() -> None:
    each = MUTATIONS // len(LEAVES) + 1
    began = time.process_time()
    for steps in LEAVES:
        try_leaf(steps, each)
    took = time.process_time() - began
    assert took < MOST_SECONDS, f"{each * len(LEAVES)} values took {took:.0f} s of processor time"
