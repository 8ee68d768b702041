"""The fake of drift's two ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import ToolError
from orchestrator.reporting.drift import DriftSubject
from stacks.outputs import ServerOutput


@dataclass
class FakeDrifts:
    """Hosts and resources that drifted as a test says; those it does not name are clean."""

    subjects: dict[str, DriftSubject] = field(default_factory=dict)
    resources: Sequence[DriftSubject] | ToolError = ()
    learned: list[tuple[str, str]] = field(default_factory=list)

    def drifted(self, asked: Any) -> Sequence[DriftSubject]:
        if isinstance(asked, str):
            if isinstance(self.resources, ToolError):
                raise self.resources
            return self.resources
        clean = {each.name: DriftSubject(kind="host", name=each.name, state="clean") for each in asked}
        return list((clean | {name: self.subjects[name] for name in clean if name in self.subjects}).values())

    def learn(self, servers: Sequence[ServerOutput], paths: Sequence[str]) -> None:
        self.learned += [(each.name, path) for each in servers for path in paths]

    def accept(self, servers: Sequence[ServerOutput], run: str) -> Sequence[str]:
        return [self.subjects.pop(each.name).name for each in servers if each.name in self.subjects]
