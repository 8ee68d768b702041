"""What comes of a rule that does not run in the judge's own process, and what comes back of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from policies.facts import Facts
from policies.model import CheckResult, Enforcement, Outcome, Rule, State, Subject

NO_ANSWER: Final = "NoAnswer"
"""The error of a pair for which the rule's process had no answer: nobody knows what the rule would say."""


@dataclass(frozen=True)
class Broken:
    """What a rule raised in a process of its own, or what became of that process."""

    type: str
    text: str


class Apart(Protocol):
    """Judges by a rule that does not run in the judge's process: docs/adr/0032-own-rules-run-apart.md."""

    def judge(
        self,
        pairs: Sequence[tuple[Subject, Facts]],
        among: Sequence[Subject] | None,
        seconds: float,
        judgement: object,
    ) -> Sequence[Sequence[Outcome] | Broken]:
        """An answer for each subject with its parameters, in their order, whatever the rule does.

        `among`: all subjects of the kind, where the rule reads its stack first. `judgement`: stands for the
        subjects that are judged at once.
        """


Row = tuple[Any, ...]
"""A result in plain values: state, enforcement and texts."""
_STATES: Final = {state.value: state for state in State}
_ENFORCEMENTS: Final = {level.value: level for level in Enforcement}


def row_of(result: CheckResult) -> Row:
    """What only the rule could tell of a result; a text of a class of its own is a plain one here."""
    told = (result.path, result.observed, result.expected, result.message, result.remediation, result.witness)
    texts = [each if type(each) is str else str.__str__(each) for each in told]
    return (result.state.value, result.enforcement.value, *texts)


def result_of(row: Row, rule: Rule, subject: Subject, profile: str) -> CheckResult:
    """The result that the row is of."""
    state, enforcement, *texts = row
    return CheckResult(
        rule.id, rule.severity, _STATES[state], _ENFORCEMENTS[enforcement], subject, profile, *texts
    )
