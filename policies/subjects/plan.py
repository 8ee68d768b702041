"""Saved previews and state exports: resources as they will be or are, and the steps that lead there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.facts import shown
from policies.model import PackError, Subject
from policies.subjects.engine_json import (
    edges_of,
    flag_of,
    is_component,
    list_of,
    mapping_of,
    state_of,
    text_of,
    texts_of,
    type_of,
    urn_of,
)
from policies.subjects.plan_whole import refuse_incomplete, refuse_twice, refuse_two_living
from policies.subjects.resources import resource_subject, whole
from policies.subjects.steps import OPS, PlannedStep, planned, step_subjects
from policies.subjects.wire import plain

__all__ = ["PlannedStep", "preview_subjects", "state_subjects", "step_subjects"]


def preview_subjects(document: object, *, name: str) -> tuple[Subject, ...]:
    """The resources that will exist and the steps that lead there, of `pulumi preview --json --show-sames`.

    `name` is the file's, for errors. Raises PackError when the document is no whole preview.
    """
    body = mapping_of(document, name)
    entries = list_of(body.get("steps"), f"{name}: steps")
    places = [f"{name}: steps[{place}]" for place in range(len(entries))]
    steps = list(map(_step, entries, places))
    refuse_incomplete(body, [step.op for step in steps], name)
    refuse_twice(list(zip(places, entries, strict=True)))
    resources, happening = planned(steps)
    return (*resources, *happening)


def state_subjects(document: object, *, name: str) -> tuple[Subject, ...]:
    """The resources of `pulumi stack export`; raises PackError when the document is none."""
    body = mapping_of(document, name)
    deployment = mapping_of(body.get("deployment"), f"{name}: deployment")
    entries = list_of(deployment.get("resources"), f"{name}: deployment.resources")
    states = [
        (at := f"{name}: deployment.resources[{place}]", state_of(entry, at))
        for place, entry in enumerate(entries)
    ]
    refuse_two_living(states)
    # What waits for its delete is on its way out; what another program owns is not this stack's.
    return whole([_resource(state, at) for at, state in states if not any(_flags(state, at))])


def _flags(state: Mapping[str, Any], place: str) -> tuple[bool, ...]:
    return tuple(flag_of(state, key, place, default=False) for key in ("delete", "external"))


def _step(entry: object, place: str) -> PlannedStep:
    body = mapping_of(entry, place)
    op, urn = text_of(body, "op", place), urn_of(body, place)
    if op not in OPS:
        raise PackError(f"{place}.op: no operation {shown(op)!r}; known: {', '.join(sorted(OPS))}")
    old, new = (_side(body, key, urn, place) for key in ("oldState", "newState"))
    if (new is None and OPS[op] in ("create", "update", "same")) or (old is None and op == "delete"):
        side = "newState" if new is None else "oldState"
        raise PackError(f"{place}.{side}: a step {op!r} has one, and this one has not; the file is truncated")
    known, side = (new, "newState") if new is not None else (old or {}, "oldState")
    return PlannedStep(
        op=op,
        urn=urn,
        type=str(known.get("type") or type_of(urn)),
        old=None if old is None else old.get("inputs") or {},
        new=None if new is None else new.get("inputs") or {},
        protected_before=bool(old and old.get("protect")),
        protected_after=bool(new and new.get("protect")),
        is_component=bool(known) and is_component(known, f"{place}.{side}"),
        replace_reasons=tuple(texts_of(body.get("replaceReasons"), f"{place}.replaceReasons")),
        old_edges={} if old is None else edges_of(old, place),
        new_edges={} if new is None else edges_of(new, place),
    )


def _side(body: Mapping[str, Any], key: str, urn: str, place: str) -> Mapping[str, Any] | None:
    """The state before or after, which is of the step's own resource."""
    if body.get(key) is None:
        return None
    state = state_of(body[key], f"{place}.{key}", urn)
    if state["urn"] != urn:
        raise PackError(
            f"{place}.{key}.urn: expected {shown(urn)}, as the step says, got {shown(state['urn'])}"
        )
    return state


def _resource(state: Mapping[str, Any], place: str) -> Subject:
    urn = urn_of(state, place)
    return resource_subject(
        str(state.get("type") or type_of(urn)),
        urn,
        urn.rsplit("::", 1)[-1],
        plain(state.get("inputs"), place),
        is_component=is_component(state, place),
        protect=bool(state.get("protect")),
        depends_on=edges_of(state, place),
        witness="state",
    )
