"""Progress for people, on stderr: a live view on a terminal, time-stamped lines in a pipe or in CI."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestrator.cli.endings import ending, printable
from orchestrator.command_lines import are_told
from orchestrator.step_runner import Watcher

if TYPE_CHECKING:
    from orchestrator.cli.live import LiveProgress
    from orchestrator.pipelines.step import Step
    from orchestrator.reporting.model import Step as StepRecord


class PlainProgress(Watcher):
    """One plain line per event, for pipes and CI."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def say(self, text: str) -> None:
        """One line of what is going on."""
        self._print(f"  {printable(text)}")

    def started(self, step: Step) -> None:
        """A step begins."""
        self._print(f"{step.name} …")

    def ended(self, step: Step, record: StepRecord) -> None:
        """A step is over, well or not."""
        self._print(ending(step, record))

    def _print(self, line: str) -> None:
        if not self._quiet:
            print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


def progress(*, quiet: bool = False) -> PlainProgress | LiveProgress:
    """The view that fits where stderr goes; command lines that are told would tear one that is redrawn."""
    for_people = (
        not are_told()
        and sys.stderr.isatty()
        and os.environ.get("TERM") != "dumb"
        and not os.environ.get("CI")
    )
    if quiet or not for_people:
        return PlainProgress(quiet=quiet)
    from orchestrator.cli.live import LiveProgress

    return LiveProgress()
