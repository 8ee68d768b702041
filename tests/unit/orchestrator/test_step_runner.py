"""Steps run in order and every one is recorded, however it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.errors import FindingsError, StewardError, StoppedError, ToolError
from orchestrator.pipelines.step import Step, Steps
from orchestrator.reporting.model import Step as StepRecord
from orchestrator.reporting.model import StepState
from orchestrator.step_runner import LocalStepRunner, Watcher
from tests.fakes import NOON, FixedClock


class Seen(Watcher):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def started(self, step: Step) -> None:
        self.told.append(f"{step.name} starts")

    def ended(self, step: Step, record: StepRecord) -> None:
        self.told.append(f"{step.name} {record.state}")


def step(name: str, act: Callable[[], Any], tell: Callable[[Any], str] = str) -> Step:
    return Step(name, "phase", "read", act, tell)


def failing(problem: BaseException) -> Callable[[], Any]:
    def act() -> None:
        raise problem

    return act


def execute(steps: Steps) -> tuple[StewardError | None, list[StepRecord], list[str]]:
    records: list[StepRecord] = []
    seen = Seen()
    return LocalStepRunner(FixedClock(), seen, records.append).execute(steps), records, seen.told


def test_each_answer_goes_back_to_the_pipeline() -> None:
    got: list[Any] = []

    def steps() -> Steps:
        got.append((yield step("one", lambda: 1)))
        got.append((yield step("two", lambda: got[0] + 1, lambda answer: f"made {answer}")))

    problem, records, told = execute(steps())
    assert (problem, got) == (None, [1, 2])
    assert [(r.name, r.state, r.message, r.started_at) for r in records] == [
        ("one", StepState.DONE, "1", NOON),
        ("two", StepState.DONE, "made 2", NOON),
    ]
    assert [record.effect for record in records] == ["read", "read"]
    assert told == ["one starts", "one done", "two starts", "two done"]


@pytest.mark.parametrize(
    ("raised", "state"),
    [
        (ToolError("x", "broke"), StepState.FAILED),
        (FindingsError("x", "found"), StepState.FAILED),
        (StoppedError("x", "stopped"), StepState.STOPPED),
    ],
)
def test_the_first_error_ends_the_run_and_is_given_back(raised: StewardError, state: StepState) -> None:
    after: list[str] = []

    def steps() -> Steps:
        yield step("one", lambda: 1)
        try:
            yield step("two", failing(raised))
        finally:
            after.append("tidied up")
        yield step("three", lambda: after.append("ran"))

    problem, records, _ = execute(steps())
    assert problem is raised
    assert [(r.name, r.state) for r in records] == [("one", StepState.DONE), ("two", state)]
    assert records[1].message == str(raised)
    assert after == ["tidied up"], "the pipeline is closed at once, not when memory is freed"


def test_ctrl_c_is_a_stop() -> None:
    problem, records, _ = execute(iter_one(failing(KeyboardInterrupt())))
    assert isinstance(problem, StoppedError)
    assert problem.exit_code == 130
    assert [r.state for r in records] == [StepState.STOPPED]
    assert records[0].message == "KeyboardInterrupt"


def test_an_unknown_error_is_recorded_and_passes_through() -> None:
    records: list[StepRecord] = []
    with pytest.raises(ZeroDivisionError):
        LocalStepRunner(FixedClock(), Watcher(), records.append).execute(iter_one(lambda: 1 // 0))
    assert [(r.state, r.message) for r in records] == [
        (StepState.FAILED, "integer division or modulo by zero")
    ]


def test_an_error_between_steps_is_given_back() -> None:
    def steps() -> Steps:
        yield step("one", lambda: 1)
        raise ToolError("x", "between")

    problem, records, _ = execute(steps())
    assert str(problem) == "x: between."
    assert [r.name for r in records] == ["one"]


def test_a_step_that_writes_is_recorded_as_such_however_it_ends() -> None:
    def steps() -> Steps:
        yield Step("one", "phase", "write", failing(ToolError("x", "broke")))

    assert [record.effect for record in execute(steps())[1]] == ["write"]


def iter_one(act: Callable[[], Any]) -> Steps:
    yield step("one", act)


def test_a_step_that_came_out_ill_is_no_success_and_the_run_goes_on() -> None:
    def steps() -> Steps:
        yield Step("one", "phase", "read", lambda: 2, lambda bad: f"{bad} failed", lambda bad: bad > 0)
        yield step("two", lambda: 0)

    problem, records, told = execute(steps())
    assert problem is None
    assert [(record.state, record.message) for record in records] == [
        (StepState.FAILED, "2 failed"), (StepState.DONE, "0"),
    ]  # fmt: skip
    assert told[1] == "one failed"
