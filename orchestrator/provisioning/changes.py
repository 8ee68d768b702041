"""A step of Pulumi's engine as one change of the plan: what differs, and why it costs a replacement. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from orchestrator.provisioning.differences import property_changes, value_text
from orchestrator.reporting.model import Change
from orchestrator.reporting.plan_words import difference, label
from orchestrator.reporting.planning import PropertyChange

Op = Literal["create", "update", "replace", "delete"]

OPS: Mapping[str, Op] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "import": "create",
    "import-replacement": "replace",
}
_SIZES = {"cpus": "CPU", "memoryGib": "GiB memory", "sizeGib": "GiB"}
_MOST_IN_DETAIL = 6


def resource_name(urn: str) -> str:
    """The last part of a URN: the resource's logical name."""
    return urn.rsplit("::", 1)[-1]


def resource_kind(type_token: str) -> str:
    """`server` of `local:index:Server`."""
    return type_token.rsplit(":", 1)[-1].lower()


def change_of(step: Any, op: Op, follows: Mapping[str, str], known: Change | None = None) -> Change:
    """The change that a step's metadata tells of; `known` is what an earlier event told of the same one.

    `follows` says by its old id which resource is replaced (`network app`), for whoever has to go with it.
    """
    old, new = _inputs(step.old), _inputs(step.new)
    keys, paths = list(step.keys or ()), [*(step.detailed_diff or {}), *(step.diffs or ())]
    costly = [path for path, how in (step.detailed_diff or {}).items() if "replace" in _how(how)]
    replacing = [*keys, *costly] if op == "replace" else []
    both = op in ("update", "replace")
    found = property_changes(old, new, only=paths, replacing=replacing) if both else []
    shown = old if op == "delete" else new
    tags = shown.get("tags")
    change = Change(
        op=op,
        kind=resource_kind(step.type),
        name=resource_name(step.urn),
        urn=step.urn,
        detail=_detail(found) if both else size_text(shown),
        server=str(tags.get("server", "")) if isinstance(tags, Mapping) else "",
        properties=found,
        reasons=_reasons(replacing, old, follows),
        protected=bool(getattr(step.old, "protect", False)) and op in ("delete", "replace"),
    )
    if known is None or change.reasons or not known.reasons:
        return change
    return known


def size_text(inputs: Mapping[str, Any]) -> str:
    """`2 CPU, 4 GiB memory`: what a resource is, for one that is made or deleted."""
    if isinstance(inputs.get("cidr"), str) and "cpus" not in inputs:
        return value_text(inputs["cidr"])
    told = [f"{value_text(inputs[key])} {word}" for key, word in _SIZES.items() if key in inputs]
    return ", ".join(told)


def _reasons(keys: list[str], old: Mapping[str, Any], follows: Mapping[str, str]) -> list[str]:
    told = []
    for key in keys:
        value = old.get(key)
        leader = follows.get(value) if isinstance(value, str) else None
        told.append(f"goes with {leader}" if leader else f"{label(key)} cannot be changed in place")
    leading = [each for each in told if each.startswith("goes with")]
    return list(dict.fromkeys(leading or told))


def _inputs(state: Any) -> Mapping[str, Any]:
    return getattr(state, "inputs", None) or {}


def _how(kind: Any) -> str:
    """`update-replace`, whether the SDK hands over its own type, a plain record or text."""
    kind = getattr(kind, "diff_kind", kind)
    kind = kind.get("diff_kind", "") if isinstance(kind, Mapping) else kind
    return str(getattr(kind, "value", kind))


def _detail(found: list[PropertyChange]) -> str:
    """`memory 1 → 2 GiB, rules + allow web → 80/tcp`: the differences on one line."""
    parts = [difference(each) for each in found]
    return ", ".join(parts[:_MOST_IN_DETAIL]) + (", …" if len(parts) > _MOST_IN_DETAIL else "")
