"""Promises against looks: what nobody looked at is not known, and few looks prove little."""

from __future__ import annotations

import pytest

from orchestrator.reporting.levels import levels
from orchestrator.reporting.model import Verdict
from orchestrator.reporting.tone import Tone
from tests.unit.reporting import sample
from tests.unit.reporting.parts import probes


@pytest.mark.parametrize(
    ("looks", "answered", "told"),
    [
        (0, 0, "nobody asked it yet"),
        (48, 48, "too few to hold against 99.5 %, which takes 200"),
        (48, 47, "too few to hold against 99.5 %, which takes 200"),
        (48, 40, "83.3 % of looks, below the promise"),
        (400, 399, "99.75 % of looks"),
    ],
)
def test_a_promise_is_held_against_enough_looks_only(looks: int, answered: int, told: str) -> None:
    [service] = sample.demo().services
    changed = service.model_copy(update={"looks": looks, "answered": answered})
    assert told in levels(sample.demo(services=(changed,)))[0].note


def test_one_server_that_does_not_answer_makes_the_service_bad() -> None:
    found = levels(sample.demo(probes=probes(failing="web-2")))[0]
    assert (found.tone, found.word) == (Tone.BAD, "does not answer")
    assert levels(sample.demo())[0].word == "answers"


def test_what_was_not_asked_is_not_known() -> None:
    unknown = [each.model_copy(update={"verdict": Verdict.UNKNOWN}) for each in probes()]
    for report in (sample.demo(probes=()), sample.demo(probes=tuple(unknown))):
        assert (levels(report)[0].tone, levels(report)[0].word) == (Tone.UNKNOWN, "not known")
