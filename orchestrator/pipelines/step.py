"""What a pipeline yields: a step, which a StepRunner executes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Step:
    """One step: `act` does it, `tell` says in a few words what came out; `effect` is what repeating costs.

    `ill`: whether what came out is a failure though the run goes on, so that it is not shown as well done.
    """

    name: str
    phase: str
    effect: Literal["read", "write"]
    act: Callable[[], Any]
    tell: Callable[[Any], str] = lambda _: ""
    ill: Callable[[Any], bool] = lambda _: False


Steps = Generator[Step, Any, None]
