"""Steps of a change as subjects: what happens to each resource, with its facts before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import is_
from typing import Any, Final

from policies.facts import Facts, Unknown, shown
from policies.model import Kind, PackError, Subject
from policies.subjects.resources import resource_subject, whole
from policies.subjects.wire import plain

OPS: Final[Mapping[str, str]] = {
    "same": "same",
    "create": "create",
    "import": "create",
    "update": "update",
    "delete": "delete",
    "remove-pending-replace": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "import-replacement": "replace",
    "read": "read",
    "read-replacement": "read",
    "read-discard": "read",
    "discard": "read",
    "discard-replaced": "read",
    "refresh": "read",
}
"""What an operation of the engine comes to; a replacement is told in up to three of them."""
_STEP: Final = Kind.STEP
_BEARING: Final = ("volume", "bucket", "database", "vault")
_STRONGER: Final = ("read", "same", "update", "create", "delete", "replace")
_TELLING: Final = (
    *("same", "update", "create", "import", "replace", "read"),
    *("create-replacement", "import-replacement", "read-replacement"),
    *("delete", "discard", "read-discard", "delete-replaced", "discard-replaced", "remove-pending-replace"),
    "refresh",
)
"""Of several steps of one resource, whose facts count: a look, or the end of an older copy, says least."""
_RANKS: Final = {op: rank for rank, op in enumerate(_TELLING)}
_STAYS: Final = frozenset(
    op for op, comes_to in OPS.items() if comes_to not in ("delete", "read") and op != "delete-replaced"
)
_Values = Mapping[str, Any]


class _Once:
    """A property that is made when it is first read; `cached_property` takes a lock for that until 3.12."""

    def __init__(self, make: Callable[[PlannedStep], Subject | None]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, step: PlannedStep, owner: type | None = None) -> Subject | None:
        made = self._make(step)
        setattr(step, self._name, made)
        return made


@dataclass
class PlannedStep:
    """One step as the engine tells it, in a saved preview or in an event while it runs.

    Nobody changes one; it is not frozen, since a frozen one takes three times as long to make.
    """

    op: str
    urn: str
    type: str
    old: _Values | None = None
    """Inputs that the state has."""
    new: _Values | None = None
    """Inputs that the program wants."""
    protected_before: bool = False
    protected_after: bool = False
    is_component: bool = False
    replace_reasons: tuple[str, ...] = ()
    old_edges: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    new_edges: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @_Once
    def after(self) -> Subject | None:
        """The resource as it will be, if it will be."""
        return None if self.new is None else _resource(self, self.new, self.protected_after, self.new_edges)

    @_Once
    def before(self) -> Subject | None:
        """The resource as the state has it, if it has."""
        return None if self.old is None else _resource(self, self.old, self.protected_before, self.old_edges)


def planned(steps: Sequence[PlannedStep]) -> tuple[tuple[Subject, ...], tuple[Subject, ...]]:
    """The resources as they will be after all of the steps, and of each resource what happens to it.

    The delete that ends a replacement is of what was there before: the resource itself stays. Feed also the
    steps that change nothing, since some rules count. Raises PackError at an unknown operation.
    """
    after = _there(step.after for step in _telling(steps))
    resources = whole(after)
    merged = _by_resource(steps)
    new = _there(step.after for step in merged)
    # Where nothing is replaced they are the same, and put together already.
    same = len(new) == len(after) and all(map(is_, new, after))
    return resources, _subjects(merged, resources if same else whole(new))


def resources_after(steps: Sequence[PlannedStep]) -> tuple[Subject, ...]:
    """The resources alone."""
    return whole(_there(step.after for step in _telling(steps)))


def step_subjects(steps: Sequence[PlannedStep]) -> tuple[Subject, ...]:
    """The steps alone."""
    merged = _by_resource(steps)
    return _subjects(merged, whole(_there(step.after for step in merged)))


def _telling(steps: Iterable[PlannedStep]) -> Iterable[PlannedStep]:
    """Of the steps of each resource that stays, the one that says most of it."""
    telling: dict[str, PlannedStep] = {}
    for step in steps:
        if _stays(step):
            known = telling.get(step.urn)
            telling[step.urn] = step if known is None else min(known, step, key=_rank)
    return telling.values()


def _by_resource(steps: Iterable[PlannedStep]) -> Sequence[PlannedStep]:
    """One step of all those of each resource."""
    told: dict[str, list[PlannedStep]] = {}
    for step in steps:
        told.setdefault(step.urn, []).append(step)
    return [
        group[0] if len(group) == 1 and OPS.get(group[0].op) == group[0].op else _merged(group)
        for group in told.values()
    ]


def _subjects(merged: Sequence[PlannedStep], new: Sequence[Subject]) -> tuple[Subject, ...]:
    old_by_urn = {each.urn: each for each in whole(_there(step.before for step in merged))}
    new_by_urn = {each.urn: each for each in new}
    return tuple(_subject(step, old_by_urn, new_by_urn) for step in merged)


def _merged(group: Sequence[PlannedStep]) -> PlannedStep:
    """One step of all those of a resource, by the one that says most."""
    first, *rest = sorted(group, key=_rank) if len(group) > 1 else group
    op = _comes_to(first)
    merged = first if first.op == op else replace(first, op=op)
    for step in rest:
        merged = _both(merged, step)
    return merged


def _rank(step: PlannedStep) -> int:
    _comes_to(step)
    return _RANKS[step.op]


def _comes_to(step: PlannedStep) -> str:
    if step.op not in OPS:
        raise PackError(f"{step.urn}: no operation {step.op!r}; known: {', '.join(sorted(OPS))}")
    return OPS[step.op]


def _stays(step: PlannedStep) -> bool:
    _comes_to(step)
    return step.op in _STAYS


def _both(known: PlannedStep, step: PlannedStep) -> PlannedStep:
    """One step of two about the same resource; a delete beside anything else is a replacement."""
    ops = {known.op, _comes_to(step)}
    op = "replace" if "delete" in ops and len(ops) > 1 else max(ops, key=_STRONGER.index)
    before = known if known.old is not None else step
    after = known if known.new is not None else step
    return replace(
        known,
        op=op,
        old=before.old,
        new=after.new,
        protected_before=before.protected_before,
        protected_after=after.protected_after,
        replace_reasons=tuple(dict.fromkeys((*known.replace_reasons, *step.replace_reasons))),
        old_edges=before.old_edges,
        new_edges=after.new_edges,
    )


def _there(resources: Iterable[Subject | None]) -> list[Subject]:
    return [each for each in resources if each is not None]


def _subject(step: PlannedStep, old: Mapping[str, Subject], new: Mapping[str, Subject]) -> Subject:
    before, after = old.get(step.urn), new.get(step.urn)
    known = after or before
    if known is None:
        raise PackError(f"{step.urn}: a step without any state; expected the old one, the new one or both")
    then, now = _raw(before), _raw(after)
    shown_facts = now if after else then
    edges = (after or known).depends_on if step.op != "delete" else known.depends_on
    facts = {
        "op": step.op,
        "type": known.type,
        "name": known.name,
        "resource": step.urn,
        "protectBefore": step.protected_before,
        "protectAfter": step.protected_after,
        "bearsData": _bears_data(known.type, then if before else now),
        "old": then if before else None,
        "new": now if after else None,
        "changed": _changed(then, now) if before and after else [],
        "replaceReasons": list(step.replace_reasons),
        "servers": [
            (new.get(urn) or old[urn]).name for urn in edges.get("server", ()) if urn in old or urn in new
        ],
        "tags": shown_facts if isinstance(shown_facts, Unknown) else shown_facts.get("tags") or {},
    }
    return Subject(
        kind=_STEP,
        type="step",
        name=known.name,
        urn=f"step:{known.stack}/{step.urn.partition('::')[2].partition('::')[2]}",
        stack=known.stack,
        facts=Facts(facts),
        source_type=known.source_type,
        protect=step.protected_before,
        witness="plan",
    )


def _resource(
    step: PlannedStep, inputs: _Values, protect: bool, edges: Mapping[str, tuple[str, ...]]
) -> Subject:
    return resource_subject(
        step.type,
        step.urn,
        step.urn.rsplit("::", 1)[-1],
        plain(inputs, shown(step.urn)),
        is_component=step.is_component,
        protect=protect,
        depends_on=edges,
    )


def _raw(subject: Subject | None) -> _Values | Unknown:
    return {} if subject is None else subject.facts.raw()


def _bears_data(neutral: str, facts: _Values | Unknown) -> object:
    """Whether deleting it loses data; a store that does not say so is taken to bear some."""
    if neutral not in _BEARING:
        return False
    if isinstance(facts, Unknown):
        return facts
    said = facts.get("dataBearing")
    return True if said is None else said


def _changed(old: _Values | Unknown, new: _Values | Unknown) -> list[str] | Unknown:
    """Names of the facts that differ, or may."""
    if isinstance(old, Unknown) or isinstance(new, Unknown):
        return Unknown("the properties are not known as a whole")
    return sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
