"""accept: take hosts, or some changes on them, for what should be, but none that does not work. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.errors import FindingsError, InputError
from orchestrator.reporting.drift import DriftItem, DriftSubject
from orchestrator.reporting.escape import terminal
from orchestrator.reporting.model import Check, Verdict
from stacks.fleet.mistakes import nearest, shown

_MOST_TOLD = 12


def named(item: DriftItem) -> str:
    """`file /etc/motd`: what a report of drift calls it, and `--item` takes."""
    return terminal(f"{item.kind} {item.name}")


def chosen(subjects: Sequence[DriftSubject], wanted: Sequence[str]) -> list[DriftItem]:
    """The items that `wanted` names, in full or by the name alone, on each host that has them.

    Raises InputError for what names none, or several kinds.
    """
    items = [item for subject in subjects for item in subject.items]
    found = [item for text in wanted for item in _by_name(text, items)]
    return [item for item in items if item in found]


def _by_name(text: str, items: Sequence[DriftItem]) -> list[DriftItem]:
    whole = [item for item in items if text in (named(item), f"{item.kind} {item.name}")]
    found = whole or [item for item in items if text in (terminal(item.name), item.name)]
    kinds = sorted({named(item) for item in found})
    if len(kinds) > 1:
        raise InputError("--item", f"'{shown(text)}' is said of several: {', '.join(kinds)}; say which")
    if not found:
        raise InputError("--item", _no_such(text, items))
    return found


def _no_such(text: str, items: Sequence[DriftItem]) -> str:
    leader = next((named(item) for item in items if text in item.also), "")
    if leader:
        return f"'{shown(text)}' follows from {leader} and is accepted with it"
    known = sorted({named(item) for item in items})
    return f"nothing that drifted on these hosts is named '{shown(text)}'; " + (
        nearest(text, known) if known else "all is clean"
    )


def only(subjects: Sequence[DriftSubject], wanted: Sequence[DriftItem]) -> list[DriftSubject]:
    """The hosts that one of these items is of, with these alone."""
    kept = [
        subject.model_copy(update={"items": tuple(each for each in subject.items if each in wanted)})
        for subject in subjects
    ]
    return [each for each in kept if each.items]


def refuse_changed(wanted: Sequence[DriftItem], done: Sequence[DriftItem], fleet: str) -> None:
    """Raises FindingsError for what is no longer as it was told a moment ago: nobody saw what it is now."""
    accepted = {(each.server, named(each)) for each in done}
    late = [each for each in wanted if (each.server, named(each)) not in accepted]
    if late:
        raise FindingsError(
            "--accept",
            "changed again while it was looked at, and was not accepted: "
            + ", ".join(f"{each.server}: {named(each)}" for each in late),
            next_step=f"Look again: steward drift --fleet {fleet}",
        )


def refuse_unknown(subjects: Sequence[DriftSubject], fleet: str) -> None:
    """Raises FindingsError where nothing is known of a host; asks for no check."""
    refuse_broken([subject for subject in subjects if subject.state == "unknown"], (), fleet)


def refuse_broken(subjects: Sequence[DriftSubject], checks: Sequence[Check], fleet: str) -> None:
    """Raises FindingsError with all that is wrong on these hosts; what is accepted, `up` leaves as it is.

    Nobody can tell which change makes a check fail, so a failed one refuses every item of its host.
    """
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
