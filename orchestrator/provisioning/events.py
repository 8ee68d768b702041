"""Pulumi's engine events, read into changes and plain error texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.provisioning.changes import OPS, change_of, resource_kind, resource_name
from orchestrator.provisioning.steps import planned_step
from orchestrator.reporting.model import Change
from policies.subjects.steps import PlannedStep

_COSTS = ("replaced: ", "restarted: ")
"""How a provider's plugin begins to say why a change is not made in place, or not without a restart."""
_COLOUR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")
_ONE_ERROR = re.compile(r"\A1 error occurred:\s*\* ")
_CONSEQUENCE = re.compile(r"property \S+ value output<\w+>\{\} has a problem")
"""A resource was asked for without what another one, which failed, would have told."""


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
        self._consequences: list[str] = []
        self.problem: str = ""
        self.before: dict[str, Mapping[str, Any]] = {}
        """Inputs of every counted resource that is there before, by URN."""
        self.after: dict[str, Mapping[str, Any]] = {}
        """Inputs of every counted resource that is there afterwards, by URN."""
        self.steps: list[PlannedStep] = []
        """All of it, as the rules about steps are given it."""
        self._replaced: dict[str, str] = {}
        self._costs: dict[str, str] = {}

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
        self.steps.append(planned_step(step))
        if not is_counted(step.type):
            self.differs |= op != "same"
            return
        self._weigh(step, op)
        if op == "same":
            self.unchanged += 1
        elif op in OPS:
            self.changes[urn] = change_of(step, OPS[op], self._replaced, self.changes.get(urn))
            if OPS[op] == "replace" and step.old is not None and step.old.id:
                self._replaced[step.old.id] = f"{resource_kind(step.type)} {resource_name(urn)}"
            self._price(urn)

    def _price(self, urn: str) -> None:
        """The provider's own reason in place of ours; it may come before or after the change it speaks of."""
        change, cost = self.changes.get(urn), self._costs.get(urn, "")
        if change is None or not cost or any(reason.startswith("goes with") for reason in change.reasons):
            return
        why = cost.removeprefix("replaced: ") if change.op == "replace" else cost
        self.changes[urn] = change.model_copy(update={"reasons": [why.rstrip(".")]})

    def _weigh(self, step: Any, op: str) -> None:
        """Keep what is there before and after, for whoever counts what it costs."""
        if step.old is not None and step.old.inputs is not None:
            self.before.setdefault(step.urn, step.old.inputs)
        if step.new is not None and step.new.inputs is not None and op != "delete":
            self.after[step.urn] = step.new.inputs

    def _exported(self, step: Any) -> None:
        if step.type == "pulumi:pulumi:Stack" and step.old is not None and step.new is not None:
            self.differs |= step.old.outputs != step.new.outputs

    def _said(self, diagnostic: Any) -> None:
        text = plain(diagnostic.message)
        if diagnostic.severity == "info" and diagnostic.urn and text.startswith(_COSTS):
            self._costs[diagnostic.urn] = text
            self._price(diagnostic.urn)
        if diagnostic.severity != "error":
            return
        if diagnostic.urn and not text.startswith(("update failed", "preview failed")):
            where = (
                f"{resource_type(diagnostic.urn).rsplit(':', 1)[-1].lower()} {resource_name(diagnostic.urn)}"
            )
            if not diagnostic.urn.endswith("::pulumi:pulumi:Stack"):
                self.failed.setdefault(diagnostic.urn, "")
                self.failed[diagnostic.urn] = self.failed[diagnostic.urn] or text
                text = text if resource_name(diagnostic.urn) in text else f"{where}: {text}"
        if _CONSEQUENCE.search(text):
            self._consequences.append(text)
        elif text and text not in self.errors and not text.startswith(("update failed", "preview failed")):
            self.errors.append(text)

    def failure(self) -> str:
        """All error texts, one per line; what only follows from them is left out."""
        return "\n".join(self.errors or self._consequences)


def plain(message: str) -> str:
    """An engine message without colour marks and the words `error:` or `1 error occurred:` in front."""
    return _ONE_ERROR.sub("", _COLOUR.sub("", message).strip().removeprefix("error:").strip())
