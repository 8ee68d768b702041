"""Whether a saved preview or state is what the engine writes: whole, and with one word of each resource.

The facts are those of Pulumi 3.259 (`pkg/engine/update.go`, `pkg/resource/deploy/step_generator.go`): which
operations its summary counts, and which steps it may tell of one URN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from policies.facts import shown
from policies.model import PackError
from policies.subjects.engine_json import list_of, mapping_of
from policies.subjects.steps import OPS

_COMMAND: Final = "Write it with: pulumi preview --json --show-sames"
_COUNTED: Final = ("same", "create", "update", "delete", "replace", "import", "discard", "read-discard")
"""Operations of which the summary counts exactly the steps of that name."""
_READ: Final = "read"
"""Counted only where what was read differs from the last time."""
_MADE_ANEW: Final = ("create-replacement", "import-replacement", "read-replacement")
_ENDED: Final = ("delete-replaced", "discard-replaced", "remove-pending-replace")
_GOING: Final = ("delete", "discard", "read-discard", *_ENDED)
_LOOKED_AT: Final = "refresh"
"""A step before the others, with `--refresh`."""
_SIDE: Final = ("type", "inputs", "protect", "custom", "provider", "propertyDependencies")
"""What the steps of one replacement say alike of the new resource."""
Placed = tuple[str, Mapping[str, Any]]
"""A step and its place in the file."""


def refuse_incomplete(body: Mapping[str, Any], ops: Sequence[str], name: str) -> None:
    """A preview leaves out what does not change unless asked; a population with holes is none.

    Raises PackError where it ended early, or where its summary counts other steps than it has.
    """
    for place, entry in enumerate(list_of(body.get("diagnostics") or [], f"{name}: diagnostics")):
        diagnostic = mapping_of(entry, f"{name}: diagnostics[{place}]")
        if diagnostic.get("severity") == "error":
            why = shown(str(diagnostic.get("message", "")).strip())
            raise PackError(f"{name}: the preview ended before it had seen everything: {why}")
    summary = body.get("changeSummary")
    if summary is None and not ops:
        raise PackError(f"{name}: no steps and no summary. {_COMMAND}")
    told, found = mapping_of(summary, f"{name}: changeSummary"), Counter(ops)
    for op in (*told, *(each for each in _COUNTED if each not in told)):
        _refuse_count(op, told.get(op, 0), found[op], name)


def _refuse_count(op: str, counted: object, found: int, name: str) -> None:
    place = f"{name}: changeSummary.{shown(op)}"
    if op not in OPS:
        raise PackError(f"{place}: no such operation; known: {', '.join(sorted(OPS))}")
    if isinstance(counted, bool) or not isinstance(counted, int) or counted < 0:
        raise PackError(f"{place}: expected a count, got {shown(counted)}. {_COMMAND}")
    if counted == found or (op == _READ and counted < found):
        return
    why = (
        "it is cut off or leaves them out" if counted > found else "the engine never counts fewer than it has"
    )
    raise PackError(f"{place}: counts {shown(counted)}, the file has {found} such steps: {why}. {_COMMAND}")


def refuse_twice(steps: Sequence[Placed]) -> None:
    """Several steps of one URN are those of one replacement, or of copies on their way out; raises PackError.

    Any other pair would let one step hide what the other says.
    """
    if len({body["urn"] for _, body in steps}) == len(steps):
        return
    seen: dict[str, list[Placed]] = {}
    for place, body in steps:
        seen.setdefault(body["urn"], []).append((place, body))
    for group in seen.values():
        if len(group) > 1:
            _refuse_group(group)


def _refuse_group(group: Sequence[Placed]) -> None:
    telling = [(at, step) for at, step in group if step["op"] != _LOOKED_AT and not _is_of_a_copy(step)]
    ended = [(at, step) for at, step in telling if step["op"] in _ENDED]
    living = [(at, step) for at, step in telling if step["op"] not in _ENDED]
    ops = sorted(step["op"] for _, step in living)
    replaced = ops == ["replace"] or ops in ([each, "replace"] for each in _MADE_ANEW)
    if not (replaced or len(telling) <= 1) or len(ended) > 1:
        at, step = telling[-1]
        raise PackError(
            f"{at}.urn: {', '.join(step['op'] for _, step in group)} of one resource, {shown(step['urn'])}: "
            "one of them would hide what the others say; the engine tells several steps of a resource for a "
            f"replacement alone. {_COMMAND}"
        )
    _refuse_two_words([each for each in living if each[1].get("newState") is not None])


def _is_of_a_copy(step: Mapping[str, Any]) -> bool:
    """Whether it ends what an earlier run had replaced and could not delete."""
    old = step.get("oldState")
    return step["op"] in _GOING and isinstance(old, Mapping) and old.get("delete") is True


def _refuse_two_words(living: Sequence[Placed]) -> None:
    for (_, first), (at, second) in pairwise(living):
        for key in _SIDE:
            one, other = first["newState"].get(key), second["newState"].get(key)
            if one != other:
                raise PackError(
                    f"{at}.newState.{key}: differs from what the {first['op']} of the same resource says; "
                    f"{shown(second['urn'])} would be two things. {_COMMAND}"
                )


def refuse_two_living(states: Sequence[Placed]) -> None:
    """A URN stands twice in a state only beside copies that wait for their delete; raises PackError."""
    living: dict[str, str] = {}
    for place, state in states:
        if state.get("delete") is True:
            continue
        known = living.setdefault(state["urn"], place)
        if known != place:
            raise PackError(
                f"{place}.urn: {shown(state['urn'])} is a second one of {known.rpartition(': ')[2]}, and "
                "neither is marked delete: one would hide the other. Write it with: pulumi stack export"
            )
