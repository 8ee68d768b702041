"""The fake of drift's two ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import ToolError
from orchestrator.reporting.drift import DriftItem, DriftSubject
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

    def accept_items(
        self, servers: Sequence[ServerOutput], wanted: Sequence[DriftItem]
    ) -> Sequence[DriftItem]:
        done: list[DriftItem] = []
        for name in [each.name for each in servers if each.name in self.subjects]:
            subject, asked = self.subjects[name], [each.model_copy(update={"fix": ""}) for each in wanted]
            done += [each for each in subject.items if each in asked]
            rest = tuple(each for each in subject.items if each not in asked)
            state = "drifted" if rest else "clean"
            self.subjects[name] = subject.model_copy(update={"items": rest, "state": state})
        return done

    def accept(self, servers: Sequence[ServerOutput], run: str) -> Sequence[str]:
        return [self.subjects.pop(each.name).name for each in servers if each.name in self.subjects]
