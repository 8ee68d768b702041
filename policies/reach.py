"""How far a rule reaches: to subjects of its types and, of steps, to those that its catalog entry names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from policies.facts import Facts, Unknown
from policies.model import Kind, Outcome, Rule, Steps, Subject, SubjectCheck

_STEP: Final = Kind.STEP
_DOES: Final = {"same": "leaves"}
_WHEN: Final = {"old": "before", "new": "after"}


class Sort(NamedTuple):
    """What decides which rules read a subject; of a step also what happens to what, and of which side it has
    facts, None where it does not say so.
    """

    type: str
    step_type: str | None = None
    operation: str | None = None
    sides: tuple[str, ...] | None = None


def sort_of(subject: Subject) -> Sort:
    """The sort of a subject."""
    if subject.kind is not _STEP or isinstance(raw := subject.facts.raw(), Unknown):
        return Sort(subject.type)
    step_type, operation = raw.get("type"), raw.get("op")
    return Sort(
        subject.type,
        step_type if isinstance(step_type, str) else None,
        operation if isinstance(operation, str) else None,
        tuple([side for side in _WHEN if raw.get(side) is not None]),
    )


def reads(rule: Rule, sort: Sort) -> bool | None:
    """Whether the rule reads such subjects; None where a step does not say what decides it."""
    steps = rule.steps
    if sort.type not in rule.subjects:
        return False
    told: list[bool | None] = []
    if steps.types:
        told.append(None if sort.step_type is None else sort.step_type in steps.types)
    if steps.operations:
        told.append(None if sort.operation is None else sort.operation in steps.operations)
    if steps.sides:
        told.append(None if sort.sides is None else set(steps.sides) <= set(sort.sides))
    return None if None in told else all(told)


def read_by(rule: Rule, by_sort: Mapping[Sort, list[int]]) -> tuple[list[int], list[int]]:
    """Places of the subjects that the rule reads, and of those that do not say whether it does, in order."""
    answers = [(reads(rule, sort), places) for sort, places in by_sort.items()]
    own, perhaps_own = (
        sorted(chain.from_iterable(places for answer, places in answers if answer is wanted))
        for wanted in (True, None)
    )
    return own, perhaps_own


def read_what_decides(steps: Steps) -> SubjectCheck:
    """The check of a step that does not say whether it is one of these: it raises at what is not known."""

    def check(subject: Subject, _params: Facts) -> Iterable[Outcome]:
        for key, names in (("type", steps.types), ("op", steps.operations)):
            if names:
                subject.facts.text(key)
        for side in steps.sides:
            subject.facts.has(side)
        return ()

    return check


def steps_words(steps: Steps) -> str:
    """Such steps in words: `what deletes or replaces a backup plan`."""
    does = _either([_verb(each) for each in steps.operations]) or "happens to"
    there = " and ".join(_WHEN[each] for each in steps.sides)
    what = _either([_noun(each) for each in steps.types]) or "a resource"
    return f"what {does} {what}{there and f' that is there {there}'}"


def not_its_step(steps: Steps, sort: Sort) -> str:
    """Why such a rule says nothing of another step: `judges what deletes a key; this creates a key`."""
    does = f"{_verb(sort.operation or 'change')} {_noun(sort.step_type or 'resource')}"
    return f"judges {steps_words(steps)}; this {does}"


def _either(names: Sequence[str]) -> str:
    *first, last = names or [""]
    return f"{', '.join(first)} or {last}" if first else last


def _verb(operation: str) -> str:
    return _DOES.get(operation, f"{operation}s")


def _noun(type_: str) -> str:
    return f"{'an' if type_[:1] in 'aeiou' else 'a'} {type_.replace('_', ' ')}"
