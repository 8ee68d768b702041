"""Executes the steps of a pipeline one after the other in this process, and records how each ended."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from time import monotonic
from typing import Any

from orchestrator.errors import StewardError, StoppedError
from orchestrator.pipelines.step import Step
from orchestrator.ports.run import Clock
from orchestrator.progress import EarlierRun, HostProgress
from orchestrator.reporting.model import Step as StepRecord
from orchestrator.reporting.model import StepState
from orchestrator.reporting.seen import HostTime
from orchestrator.room import full, is_full


class Watcher:
    """Is told when steps start and end; the terminal's view derives from it."""

    def begun(self, earlier: Callable[[], Sequence[EarlierRun]]) -> None:
        """The run begins; `earlier` reads what runs like it took, for a view that wants to know."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def host(self, reached: HostProgress) -> None:
        """A host under the playbooks got a step further."""

    def ended(self, step: Step, record: StepRecord) -> None:
        """A step is over, well or not."""


class LocalStepRunner:
    """Runs steps in order; the first error ends the run and is returned; every step is recorded."""

    def __init__(
        self,
        clock: Clock,
        watcher: Watcher,
        record: Callable[[StepRecord], None],
        spoken: Callable[[], Sequence[HostTime]] = tuple,
    ) -> None:
        """`spoken` tells with which servers, and when, since it was last asked."""
        self._clock = clock
        self._watcher = watcher
        self._record = record
        self._spoken = spoken

    def execute(self, steps: Generator[Step, Any, None]) -> StewardError | None:
        """Drive the pipeline to its end; None when all was done. Unknown errors pass through, recorded."""
        answer: Any = None
        try:
            while True:
                answer = self._run(steps.send(answer))
        except StopIteration:
            return None
        except StewardError as problem:
            return problem
        except KeyboardInterrupt:
            return StoppedError("steward", "stopped by the keyboard; what it had started was ended")
        finally:
            steps.close()

    def _run(self, step: Step) -> Any:
        started_at, began = self._clock.now(), monotonic()
        self._watcher.started(step)
        self._spoken()  # what was said between the steps

        def finish(state: StepState, message: str) -> None:
            record = StepRecord(
                name=step.name,
                phase=step.phase,
                state=state,
                started_at=started_at,
                duration_seconds=round(monotonic() - began, 3),
                message=message,
                effect=step.effect,
                hosts=self._spoken(),
            )
            self._record(record)
            self._watcher.ended(step, record)

        try:
            answer = step.act()
        except BaseException as problem:
            stopped = isinstance(problem, StoppedError | KeyboardInterrupt)
            finish(StepState.STOPPED if stopped else StepState.FAILED, str(problem) or type(problem).__name__)
            if isinstance(problem, OSError) and is_full(problem):
                raise full(problem) from problem
            raise
        finish(StepState.FAILED if step.ill(answer) else StepState.DONE, step.tell(answer))
        return answer
