"""The fake of `ports.ServiceProber`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.ports.probes import HttpAnswer


@dataclass
class FakeProber:
    """Answers 200 to everything but the addresses in `answers`; `asked` is what it was asked."""

    answers: Mapping[str, HttpAnswer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def ask(self, url: str) -> HttpAnswer:
        self.asked.append(url)
        return self.answers.get(url, HttpAnswer(200, 0.01))
