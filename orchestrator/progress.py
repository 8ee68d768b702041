"""What a run tells whoever watches it, and how long it will still take by what earlier runs took. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class HostProgress:
    """One host under the playbooks: how far it is, and what it is at."""

    name: str
    state: Literal["working", "done", "failed"]
    tasks: int
    changed: int
    task: str = ""


Watch = Callable[[HostProgress], None]
"""Told of every host each time it gets a step further; must return at once."""


@dataclass(frozen=True)
class EarlierRun:
    """A run of the same verb on the same stack that came to its end: seconds by step, and tasks by host."""

    steps: Sequence[tuple[str, float]]
    tasks: Mapping[str, int] = field(default_factory=dict)


def seconds_left(
    earlier: Sequence[EarlierRun], done: Sequence[str], current: str, elapsed: float
) -> float | None:
    """Median over earlier runs of what the step at work and those after it still took; None if none tells.

    Runs that went the same way until here tell more than others: one that had nothing to provision says
    little about one that had.
    """
    having = [run for run in earlier if any(name == current for name, _ in run.steps)]
    same_way = [run for run in having if _before(run, current) == list(done)]
    guesses = [_left(run, current, elapsed) for run in same_way or having]
    return median(guesses) if guesses else None


def expected_tasks(earlier: Sequence[EarlierRun], host: str) -> int | None:
    """How many tasks a host had when it was last converged; None if it never was."""
    return next((run.tasks[host] for run in earlier if host in run.tasks), None)


def _before(run: EarlierRun, current: str) -> list[str]:
    names = [name for name, _ in run.steps]
    return names[: names.index(current)]


def _left(run: EarlierRun, current: str, elapsed: float) -> float:
    position = next(index for index, (name, _) in enumerate(run.steps) if name == current)
    after = sum(seconds for _, seconds in run.steps[position + 1 :])
    return max(0.0, run.steps[position][1] - elapsed) + after
