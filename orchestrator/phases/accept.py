"""accept: take hosts as they are for what they should be, but none that does not do its work. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.errors import FindingsError
from orchestrator.reporting.drift import DriftSubject
from orchestrator.reporting.model import Check, Verdict

_MOST_TOLD = 12


def refuse_broken(subjects: Sequence[DriftSubject], checks: Sequence[Check], fleet: str) -> None:
    """Raises FindingsError with all that is wrong on these hosts; what is accepted, `up` leaves as it is."""
    wrong = [*_unknown(subjects), *_stopped(subjects), *_failing(checks)]
    if not wrong:
        return
    told = [f"\n  {each}" for each in wrong[:_MOST_TOLD]]
    if len(wrong) > _MOST_TOLD:
        told.append(f"\n  and {len(wrong) - _MOST_TOLD} more")
    raise FindingsError(
        "--accept",
        "nothing was accepted: a host is not what it should be while something on it does not work:"
        + "".join(told),
        next_step=f"Mend it there, or let Steward do it: steward up --fleet {fleet}. "
        "What is meant to be so belongs into the fleet file or a role.",
    )


def _unknown(subjects: Sequence[DriftSubject]) -> Iterator[str]:
    for subject in subjects:
        if subject.state == "unknown":
            yield f"{subject.name}: not known how it is: {subject.reason}"


def _stopped(subjects: Sequence[DriftSubject]) -> Iterator[str]:
    """Units that should be up; those of the machine itself have no check of their own."""
    for subject in subjects:
        for item in subject.items:
            if (
                item.kind == "unit"
                and item.expected.startswith("active")
                and not item.observed.startswith("active")
            ):
                yield f"{subject.name}: {item.name} is {item.observed}, and should be {item.expected}"


def _failing(checks: Sequence[Check]) -> Iterator[str]:
    for check in checks:
        if check.verdict in (Verdict.FAIL, Verdict.UNKNOWN):
            word = "failed" if check.verdict is Verdict.FAIL else "could not be checked"
            yield f"{check.server}: {check.title}: {word}" + (
                f", saw {check.observed}" if check.observed else ""
            )
