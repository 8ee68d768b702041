"""Observations to verdicts. Pure; what could not be looked at, or does not apply, is never a pass."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.ports.hosts import Observation
from orchestrator.reporting.model import Check, Verdict

_LONGEST = 200


def verdicts(server: str, observations: Sequence[Observation]) -> list[Check]:
    """One check per observation."""
    return [
        Check(
            server=server,
            check=seen.expectation.check,
            title=seen.expectation.title,
            verdict=_verdict(seen),
            observed=seen.observed[:_LONGEST],
            expected=seen.expectation.argument or "true",
        )
        for seen in observations
    ]


def _verdict(seen: Observation) -> Verdict:
    if not seen.applies:
        return Verdict.NOT_APPLICABLE
    if seen.holds is None:
        return Verdict.UNKNOWN
    return Verdict.PASS if seen.holds else Verdict.FAIL
