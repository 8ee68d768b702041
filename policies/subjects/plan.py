"""Saved previews and state exports: resources as they will be or are, and the steps that lead there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from policies.facts import shown
from policies.model import PackError, Subject
from policies.subjects.resources import resource_subject, whole
from policies.subjects.steps import OPS, PlannedStep, resources_after, step_subjects
from policies.subjects.wire import plain

__all__ = ["PlannedStep", "preview_subjects", "state_subjects", "step_subjects"]

_MOST_RESOURCES: Final = 100_000
_COUNTED: Final = ("create", "update", "delete", "same")
"""Operations of which the summary counts exactly the steps of that name."""


def preview_subjects(document: object, *, name: str) -> tuple[Subject, ...]:
    """The resources that will exist and the steps that lead there, of `pulumi preview --json --show-sames`.

    `name` is the file's, for errors. Raises PackError when the document is no whole preview.
    """
    body = _mapping(document, name)
    entries = _list(body.get("steps"), f"{name}: steps")
    steps = [_step(entry, f"{name}: steps[{place}]") for place, entry in enumerate(entries)]
    _refuse_incomplete(body, steps, name)
    return (*resources_after(steps), *step_subjects(steps))


def state_subjects(document: object, *, name: str) -> tuple[Subject, ...]:
    """The resources of `pulumi stack export`; raises PackError when the document is none."""
    body = _mapping(document, name)
    deployment = _mapping(body.get("deployment"), f"{name}: deployment")
    entries = _list(deployment.get("resources"), f"{name}: deployment.resources")
    found = []
    for place, entry in enumerate(entries):
        at = f"{name}: deployment.resources[{place}]"
        state = _state(entry, at)
        # What waits for its delete is on its way out; what another program owns is not this stack's.
        if not state.get("delete") and not state.get("external"):
            found.append(_resource(state, at))
    return whole(found)


def _step(entry: object, place: str) -> PlannedStep:
    body = _mapping(entry, place)
    op, urn = _text(body, "op", place), _urn(body, place)
    if op not in OPS:
        raise PackError(f"{place}.op: no operation {shown(op)!r}; known: {', '.join(sorted(OPS))}")
    old, new = (
        _state(body[key], f"{place}.{key}") if body.get(key) is not None else None
        for key in ("oldState", "newState")
    )
    if (new is None and OPS[op] in ("create", "update", "same")) or (old is None and op == "delete"):
        side = "newState" if new is None else "oldState"
        raise PackError(f"{place}.{side}: a step {op!r} has one, and this one has not; the file is truncated")
    known = new or old or {}
    return PlannedStep(
        op=op,
        urn=urn,
        type=str(known.get("type") or _type_of(urn)),
        old=None if old is None else old.get("inputs") or {},
        new=None if new is None else new.get("inputs") or {},
        protected_before=bool(old and old.get("protect")),
        protected_after=bool(new and new.get("protect")),
        is_component=not known.get("provider"),
        replace_reasons=tuple(_texts(body.get("replaceReasons"), f"{place}.replaceReasons")),
        old_edges=_edges(old or {}, place),
        new_edges=_edges(new or {}, place),
    )


def _refuse_incomplete(body: Mapping[str, Any], steps: Sequence[PlannedStep], name: str) -> None:
    """A preview leaves out what does not change unless asked; a population with holes is none."""
    for place, entry in enumerate(_list(body.get("diagnostics") or [], f"{name}: diagnostics")):
        diagnostic = _mapping(entry, f"{name}: diagnostics[{place}]")
        if diagnostic.get("severity") == "error":
            why = shown(str(diagnostic.get("message", "")).strip())
            raise PackError(f"{name}: the preview ended before it had seen everything: {why}")
    summary = body.get("changeSummary")
    if summary is None and not steps:
        raise PackError(f"{name}: no steps and no summary; write it with: pulumi preview --json --show-sames")
    told = _mapping(summary, f"{name}: changeSummary")
    found = Counter(step.op for step in steps)
    for op in _COUNTED:
        counted = told.get(op, 0)
        if not isinstance(counted, int) or counted > found[op]:
            raise PackError(
                f"{name}: changeSummary.{op}: counts {shown(counted)}, the file has {found[op]} such steps: "
                "it is cut off or leaves them out. Write it with: pulumi preview --json --show-sames"
            )


def _resource(state: Mapping[str, Any], place: str) -> Subject:
    urn = _urn(state, place)
    return resource_subject(
        str(state.get("type") or _type_of(urn)),
        urn,
        urn.rsplit("::", 1)[-1],
        plain(state.get("inputs"), place),
        is_component=not state.get("provider"),
        protect=bool(state.get("protect")),
        depends_on=_edges(state, place),
        witness="state",
    )


def _edges(state: Mapping[str, Any], place: str) -> Mapping[str, tuple[str, ...]]:
    found = state.get("propertyDependencies")
    if found is None:
        return {}
    at = f"{place}.propertyDependencies"
    return {key: tuple(_texts(urns, f"{at}.{shown(key)}")) for key, urns in _mapping(found, at).items()}


def _type_of(urn: str) -> str:
    """The resource's own type out of its URN, without those of its parents."""
    parts = urn.split("::")
    return parts[2].rsplit("$", 1)[-1] if len(parts) > 3 else ""


def _state(entry: object, place: str) -> Mapping[str, Any]:
    state = _mapping(entry, place)
    _urn(state, place)
    return state


def _urn(body: Mapping[str, Any], place: str) -> str:
    urn = _text(body, "urn", place)
    if not urn.startswith("urn:pulumi:") or not _type_of(urn):
        raise PackError(f"{place}.urn: expected urn:pulumi:STACK::PROJECT::TYPE::NAME, got {shown(urn)!r}")
    return urn


def _text(body: Mapping[str, Any], key: str, place: str) -> str:
    found = body.get(key)
    if not isinstance(found, str) or not found:
        raise PackError(
            f"{place}.{key}: expected a text, got {shown(found)!r}; the file is truncated or none"
        )
    return found


def _texts(found: object, place: str) -> list[str]:
    every = _list([] if found is None else found, place)
    if not all(isinstance(each, str) for each in every):
        raise PackError(f"{place}: expected a list of texts, got {shown(every)}")
    return every


def _mapping(found: object, place: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise PackError(f"{place}: expected a mapping, got {shown(found)!r}; the file is truncated or none")
    return found


def _list(found: object, place: str) -> list[Any]:
    if not isinstance(found, list):
        raise PackError(f"{place}: expected a list, got {shown(found)!r}; the file is truncated or none")
    if len(found) > _MOST_RESOURCES:
        raise PackError(f"{place}: {len(found)} entries; at most {_MOST_RESOURCES} are judged at once")
    return found
