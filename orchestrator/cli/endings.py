"""How a step that is over reads, the same on a terminal and in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.pipelines.step import Step
    from orchestrator.reporting.model import Step as StepRecord

_SIGNS = {"done": "✓", "failed": "✗", "skipped": "-", "stopped": "■"}


def ending(step: Step, record: StepRecord) -> str:
    """One line: sign, name, seconds, and what came out."""
    seconds = f"{record.duration_seconds:6.1f} s"
    return f"{_SIGNS[record.state]} {step.name:<10} {seconds}  {printable(record.message)}".rstrip()


def printable(text: str) -> str:
    """One line in which host and fleet texts move no cursor and command no pipeline."""
    from orchestrator.reporting.escape import terminal

    return terminal(" ".join(text.split()))
