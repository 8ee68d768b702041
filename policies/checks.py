"""What a check says of a subject, put into outcomes: the same here and in the processes of own rules.

Light on purpose: those processes import nothing else of judging.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from policies.facts import Facts, UnknownFactError, shown
from policies.model import Finding, Gap, NotApplicable, Outcome, StackCheck, Subject, SubjectCheck


class MeaninglessError(Exception):
    """A rule said something that is none of the three outcomes."""


class RuleTimeoutError(BaseException):
    """A rule did not end within its time; no Exception, so that a rule that catches those passes it on."""


def outcomes_of(check: SubjectCheck, subject: Subject, params: Facts) -> list[Outcome]:
    """What the check said before it ended or met an unknown value."""
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(check(subject, params))  # a list keeps what was said before the iterator raises
    except UnknownFactError as gap:
        outcomes.append(Gap.of(gap))
    return outcomes


def by_stack(stack_check: StackCheck, subjects: Sequence[Subject]) -> SubjectCheck:
    """The check for each subject among those of its stack: two fleets that are judged at once are not one.

    Where the rule raised when it read all subjects, the check of that stack raises it again.
    """
    stacks: dict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        stacks[subject.stack].append(subject)
    checks: dict[str, SubjectCheck] = {}

    def check(subject: Subject, params: Facts) -> Iterable[Outcome]:
        if subject.stack not in checks:
            try:
                checks[subject.stack] = stack_check(stacks[subject.stack])
            # Also of what is no Exception: it is raised again below, for each subject of the stack.
            except BaseException as error:
                if isinstance(error, RuleTimeoutError):
                    raise
                checks[subject.stack] = _raising(error)
        return checks[subject.stack](subject, params)

    return check


def _raising(error: BaseException) -> SubjectCheck:
    def check(_subject: Subject, _params: Facts) -> Iterable[Outcome]:
        raise error

    return check


def understood(said: object) -> None:
    """Raises MeaninglessError at what is no outcome, or is one of other things than texts."""
    texts: tuple[object, ...] = ()
    if isinstance(said, Finding):
        texts = (said.path, said.problem, said.observed, said.expected, said.witness, said.fix)
    elif isinstance(said, Gap):
        texts = (said.path, said.reason)
    elif isinstance(said, NotApplicable):
        texts = (said.reason,)
    else:
        raise MeaninglessError(f"expected a Finding, a Gap or NotApplicable, got {shown(said)}")
    for each in texts:
        if not isinstance(each, str):
            raise MeaninglessError(f"{type(said).__name__}: expected texts, got {shown(each)}")


def as_row(said: Outcome) -> list[object]:
    """An outcome that was understood, as plain values."""
    if isinstance(said, Finding):
        return ["finding", said.path, said.problem, said.observed, said.expected, said.witness, said.fix]
    if isinstance(said, Gap):
        return ["gap", said.path, said.reason, bool(said.settled_at_up)]
    return ["not_applicable", said.reason]


def outcome_of(row: object) -> Outcome:
    """The outcome of a row that somebody else's process wrote; raises MeaninglessError."""
    match row:
        case ["finding", str(path), str(problem), str(observed), str(expected), str(witness), str(fix)]:
            return Finding(path, problem, observed, expected, witness, fix)
        case ["gap", str(path), str(reason), bool(settled_at_up)]:
            return Gap(path, settled_at_up, reason)
        case ["not_applicable", str(reason)]:
            return NotApplicable(reason)
    raise MeaninglessError(f"expected a Finding, a Gap or NotApplicable, got {shown(row)}")


def named(error: BaseException, most: int = 1000) -> Mapping[str, str]:
    """The type and text of an error as plain texts of a bounded length."""
    return {"type": type(error).__name__[:most], "text": str(error)[:most]}
