"""What the rules on backup records share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps

from policies.facts import Facts
from policies.model import NotApplicable, Outcome, Subject, SubjectCheck
from policies.rules._spans import DAY


def of_a_plan(check: Callable[[Subject, Facts], Iterable[Outcome]]) -> SubjectCheck:
    """The check, for records that have a plan; `backups.server-in-plan` speaks of the others."""

    @wraps(check)
    def checked(subject: Subject, params: Facts) -> Iterator[Outcome]:
        if subject.facts.has("plan"):
            yield from check(subject, params)
        else:
            yield NotApplicable("is in no backup plan, which backups.server-in-plan judges")

    return checked


def older_than(facts: Facts, params: Facts, param: str) -> str:
    """How many days old `ageSeconds` is when that is more than the parameter allows, else ''."""
    age = facts.number("ageSeconds")
    return f"{-(-age // DAY):.0f} days ago" if age > params.whole(param) * DAY else ""
