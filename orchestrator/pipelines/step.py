"""What a pipeline yields: a step, which a StepRunner executes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Step:
    """One step: `act` does it, `tell` says in a few words what came out; `effect` is what repeating costs."""

    name: str
    phase: str
    effect: Literal["read", "write"]
    act: Callable[[], Any]
    tell: Callable[[Any], str] = lambda _: ""


Steps = Generator[Step, Any, None]
