"""A judge that says what a test wants, and remembers what it was shown."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.ports.policies import Judgement, Known
from orchestrator.reporting.model import PolicyResult
from orchestrator.reporting.policy.model import Digests, NotChecked, PolicyReport, Population, Verdict
from policies.model import Phase
from tests.fakes import NOON


class FakeJudge:
    """Implements `ports.policies.PolicyJudge`."""

    def __init__(self, rows: Sequence[PolicyResult] = ()) -> None:
        self.rows = rows
        self.asked: list[tuple[Known, Phase]] = []
        self.not_checked: Sequence[NotChecked] = ()

    def judge(self, known: Known, phase: Phase) -> Judgement:
        """The wanted rows, and a report without a rule."""
        self.asked.append((known, phase))
        told = report(phase).model_copy(update={"not_checked": tuple(self.not_checked)})
        return Judgement(self.rows, told)


def report(phase: Phase) -> PolicyReport:
    """A report that judged nothing, as far as its model goes."""
    return PolicyReport(
        run="RUN",
        stack="acme-demo",
        client="acme",
        environment="demo",
        phase=phase.value,
        started_at=NOON,
        ended_at=NOON,
        actor="ann",
        digests=Digests(rules="", profiles=""),
        verdict=Verdict(green=False, exit_code=0, blocking=0, words=""),
        counts={},
        population=Population(subjects=0, by_kind={}),
        rules=(),
        subjects=(),
        matrix={},
    )
