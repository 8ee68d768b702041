"""Progress for people, on stderr: a line per step; a spinner on a terminal, time-stamped lines in a pipe."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestrator.step_runner import Watcher

if TYPE_CHECKING:
    from orchestrator.pipeline import Step
    from orchestrator.reporting.model import Step as StepRecord

_SIGNS = {"done": "✓", "failed": "✗", "skipped": "-", "stopped": "■"}


class PlainProgress(Watcher):
    """One plain line per event, for pipes and CI."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def say(self, text: str) -> None:
        """One line of what is going on."""
        if not self._quiet:
            stamp = datetime.now(UTC).strftime("%H:%M:%S")
            print(f"{stamp}   {_printable(text)}", file=sys.stderr, flush=True)

    def started(self, step: Step) -> None:
        """A step begins."""
        if not self._quiet:
            print(f"{datetime.now(UTC):%H:%M:%S} {step.name} …", file=sys.stderr, flush=True)

    def ended(self, step: Step, record: StepRecord) -> None:
        """A step is over, well or not."""
        if not self._quiet:
            print(f"{datetime.now(UTC):%H:%M:%S} {_ending(step, record)}", file=sys.stderr, flush=True)


class LiveProgress(Watcher):
    """A spinner for the step at work, and a line for each that is over."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._status: Any = None
        self._name = ""

    def say(self, text: str) -> None:
        """What the step at work is doing just now."""
        if self._status is not None:
            from rich.text import Text

            room = max(20, self._console.width - len(self._name) - 6)
            self._status.update(Text(f"{self._name}  {_printable(text)[:room]}"))

    def started(self, step: Step) -> None:
        """A step begins."""
        self._name = f"{step.name:<10}"
        self._status = self._console.status(self._name, spinner="dots")
        self._status.start()

    def ended(self, step: Step, record: StepRecord) -> None:
        """A step is over, well or not."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        style = "" if record.state == "done" else "bold red"
        self._console.print(_ending(step, record), style=style, markup=False)


def _ending(step: Step, record: StepRecord) -> str:
    seconds = f"{record.duration_seconds:6.1f} s"
    return f"{_SIGNS[record.state]} {step.name:<10} {seconds}  {_printable(record.message)}".rstrip()


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def progress(*, quiet: bool = False) -> PlainProgress | LiveProgress:
    """The view that fits where stderr goes."""
    live = sys.stderr.isatty() and not quiet and os.environ.get("TERM") != "dumb"
    return LiveProgress() if live else PlainProgress(quiet=quiet)
