"""Observations to verdicts. Pure; what could not be looked at is unknown, never a pass."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.ports import Observation
from orchestrator.reporting.model import Check, Verdict

_LONGEST = 200


def verdicts(server: str, observations: Sequence[Observation]) -> list[Check]:
    """One check per observation."""
    return [
        Check(
            server=server,
            check=seen.expectation.check,
            title=seen.expectation.title,
            verdict=_verdict(seen.holds),
            observed=seen.observed[:_LONGEST],
            expected=seen.expectation.argument or "true",
        )
        for seen in observations
    ]


def _verdict(holds: bool | None) -> Verdict:
    if holds is None:
        return Verdict.UNKNOWN
    return Verdict.PASS if holds else Verdict.FAIL
