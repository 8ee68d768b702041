"""Pulumi's engine events, read into changes and plain error texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from orchestrator.reporting.model import Change

Op = Literal["create", "update", "replace", "delete"]

_OPS: Mapping[str, Op] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
    "create-replacement": "replace",
}
_COLOUR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")
_LONGEST_VALUE = 40


def resource_name(urn: str) -> str:
    """The last part of a URN: the resource's logical name."""
    return urn.rsplit("::", 1)[-1]


def resource_type(urn: str) -> str:
    """The resource's own type token, without its parents'."""
    return urn.split("::")[2].rsplit("$", 1)[-1] if urn.count("::") >= 3 else ""


def is_counted(type_token: str) -> bool:
    """Whether a resource is something that exists; components and providers only group."""
    return not type_token.startswith(("pulumi:", "steward:"))


class EventLog:
    """Collects what one Pulumi operation says; called on the SDK's own thread."""

    def __init__(self) -> None:
        self.changes: dict[str, Change] = {}
        self.unchanged = 0
        self.differs = False
        """Something that is not counted changes: what a component promises, or what the stack exports."""
        self.failed: dict[str, str] = {}
        self.errors: list[str] = []
        self.problem: str = ""

    def __call__(self, event: Any) -> None:
        """Read one event; an event of an unknown shape is kept as a problem rather than lost."""
        try:
            if event.resource_pre_event is not None:
                self._planned(event.resource_pre_event.metadata)
            elif event.res_outputs_event is not None:
                self._exported(event.res_outputs_event.metadata)
            elif event.res_op_failed_event is not None:
                self.failed[event.res_op_failed_event.metadata.urn] = ""
            elif event.diagnostic_event is not None:
                self._said(event.diagnostic_event)
        except (AttributeError, KeyError, TypeError) as problem:
            self.problem = f"an engine event could not be read: {problem!r}"

    def _planned(self, step: Any) -> None:
        op, urn = str(getattr(step.op, "value", step.op)), step.urn
        if not is_counted(step.type):
            self.differs |= op != "same"
            return
        if op == "same":
            self.unchanged += 1
        elif op in _OPS:
            kind = step.type.rsplit(":", 1)[-1].lower()
            self.changes[urn] = Change(
                op=_OPS[op], kind=kind, name=resource_name(urn), urn=urn, detail=_detail(step)
            )

    def _exported(self, step: Any) -> None:
        if step.type == "pulumi:pulumi:Stack" and step.old is not None and step.new is not None:
            self.differs |= step.old.outputs != step.new.outputs

    def _said(self, diagnostic: Any) -> None:
        if diagnostic.severity != "error":
            return
        text = plain(diagnostic.message)
        if diagnostic.urn and not text.startswith(("update failed", "preview failed")):
            where = (
                f"{resource_type(diagnostic.urn).rsplit(':', 1)[-1].lower()} {resource_name(diagnostic.urn)}"
            )
            if not diagnostic.urn.endswith("::pulumi:pulumi:Stack"):
                self.failed.setdefault(diagnostic.urn, "")
                self.failed[diagnostic.urn] = self.failed[diagnostic.urn] or text
                text = text if resource_name(diagnostic.urn) in text else f"{where}: {text}"
        if text and text not in self.errors and not text.startswith(("update failed", "preview failed")):
            self.errors.append(text)

    def failure(self) -> str:
        """All error texts, one per line."""
        return "\n".join(self.errors)


def plain(message: str) -> str:
    """An engine message without colour marks and the word `error:` in front."""
    return _COLOUR.sub("", message).strip().removeprefix("error:").strip()


def _detail(step: Any) -> str:
    """`memoryGib 1 → 2, tags`: what a step changes, in the resource's own words."""
    diff = step.detailed_diff or {}
    old = getattr(step.old, "inputs", None) or {}
    new = getattr(step.new, "inputs", None) or {}
    parts = []
    for path in sorted(diff):
        before, after = old.get(path), new.get(path)
        simple = isinstance(before, str | int | float | bool) and isinstance(after, str | int | float | bool)
        parts.append(f"{path} {_short(before)} → {_short(after)}" if simple else path)
    return ", ".join(parts[:6]) + (", …" if len(parts) > 6 else "")


def _short(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
