"""What came of all rules on all subjects: every pair counted once, the telling ones with their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policies.model import CheckResult, Rule, State, Subject

LETTERS: Final[Mapping[State, str]] = {
    State.PASS: "p",
    State.FAIL: "f",
    State.WAIVED: "w",
    State.BASELINED: "b",
    State.NOT_APPLICABLE: "n",
    State.UNKNOWN: "u",
    State.ERROR: "e",
    State.NOT_RUN: "x",
}
"""One letter a state, for the matrix; what is worst stands first in WORST."""
WORST: Final = (
    *(State.ERROR, State.FAIL, State.UNKNOWN, State.NOT_RUN),
    *(State.WAIVED, State.BASELINED, State.PASS, State.NOT_APPLICABLE),
)
"""Which state a pair has that has several results: the first of these."""


@dataclass(frozen=True)
class Assessment:
    """The judgement of one population.

    `matrix`: rule id -> one letter a subject, in the order of `subjects`; no pair is missing. `results`: what
    came of pairs whose rule reads that type of subject, but for passes; pairs of another kind or type have a
    letter and no result.
    """

    rules: tuple[Rule, ...]
    subjects: tuple[Subject, ...]
    profiles: tuple[str, ...]
    """Name of the profile that judged each subject."""
    matrix: Mapping[str, str]
    results: tuple[CheckResult, ...]

    def counts(self) -> Mapping[State, int]:
        """How many pairs are in each state; they sum to rules x subjects."""
        letters = "".join(self.matrix.values())
        return {state: letters.count(letter) for state, letter in LETTERS.items()}

    def by_pair(self) -> Mapping[tuple[str, str], list[CheckResult]]:
        """The results by rule and subject, both by id."""
        pairs: dict[tuple[str, str], list[CheckResult]] = {}
        for each in self.results:
            pairs.setdefault((each.rule, each.subject.urn), []).append(each)
        return pairs

    def blocking(self) -> Sequence[CheckResult]:
        """The results that stop the change, or fail the check."""
        return [result for result in self.results if result.blocks]


def joined(first: Assessment, second: Assessment) -> Assessment:
    """Both populations in one; rules that only the second has read nothing of the first."""
    silent = LETTERS[State.NOT_APPLICABLE] * len(first.subjects)
    return Assessment(
        rules=second.rules,
        subjects=(*first.subjects, *second.subjects),
        profiles=(*first.profiles, *second.profiles),
        matrix={rule.id: first.matrix.get(rule.id, silent) + second.matrix[rule.id] for rule in second.rules},
        results=(*first.results, *second.results),
    )
