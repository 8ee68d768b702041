"""How a control stands by the pairs of all rules that name it; the same for the page and for OSCAL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.reporting.policy.model import LETTERS, PolicyReport, ReportedFramework, State
from orchestrator.reporting.policy.words import STATES, state_words

ControlStand = Literal["met", "not met", "not shown", "excused", "nothing to judge"]


@dataclass(frozen=True)
class Standing:
    """One control: which rules speak for it, what came of their pairs, and what that amounts to."""

    framework: ReportedFramework
    control: str
    title: str
    rules: tuple[str, ...]
    counts: dict[State, int]
    stand: ControlStand

    @property
    def words(self) -> str:
        """The counts that bear the standing out, none of them left away but zeros."""
        said = [f"{self.counts[state]} {state_words(state)}" for state in STATES if self.counts[state]]
        return ", ".join(said) or "no pair"


def standings(report: PolicyReport) -> dict[str, list[Standing]]:
    """Framework by framework, every control that a rule names."""
    counts = {rule.id: rule_counts(report.matrix[rule.id]) for rule in report.rules}
    found: dict[str, list[Standing]] = {}
    for framework in report.frameworks:
        named: dict[str, list[str]] = {control: [] for control in framework.controls}
        for rule in report.rules:
            for control in rule.controls.get(framework.id, ()):
                named.setdefault(control, []).append(rule.id)
        found[framework.id] = [
            _standing(framework, control, rules, counts)
            for control, rules in sorted(named.items(), key=lambda item: _natural(item[0]))
        ]
    return found


def _standing(
    framework: ReportedFramework, control: str, rules: Sequence[str], counts: dict[str, Counter[State]]
) -> Standing:
    total = sum((counts[rule] for rule in rules), Counter[State]())
    summed = {state: total[state] for state in STATES}
    title = framework.controls.get(control, "")
    return Standing(framework, control, title, tuple(rules), summed, stand(summed))


def stand(counts: dict[State, int]) -> ControlStand:
    """Only passes meet a control, and only where nothing speaks against it or stays open."""
    if counts["fail"] or counts["error"]:
        return "not met"
    if counts["unknown"] or counts["not_run"]:
        return "not shown"
    if counts["waived"] or counts["baselined"]:
        return "excused"
    return "met" if counts["pass"] else "nothing to judge"


def rule_counts(line: str) -> Counter[State]:
    """How many pairs of one rule are in each state; its line of the matrix is all that is read."""
    letters = Counter(line)
    return Counter({LETTERS[letter]: count for letter, count in letters.items()})


def _natural(control: str) -> list[tuple[int, str]]:
    """`A.8.9` before `A.8.13`."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"[.()-]", control)]
