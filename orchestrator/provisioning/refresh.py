"""What a refresh that changes nothing says of each resource, read into drift. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.provisioning.changes import resource_kind, resource_name
from orchestrator.provisioning.differences import property_changes
from orchestrator.provisioning.events import is_counted, plain
from orchestrator.reporting.drift import DriftItem, DriftSubject


class RefreshLog:
    """Collects what the engine says while it asks for every resource; called on the SDK's own thread."""

    def __init__(self) -> None:
        self.subjects: dict[str, DriftSubject] = {}
        self.errors: list[str] = []
        self._asked: dict[str, Any] = {}

    def __call__(self, event: Any) -> None:
        """Read one event."""
        if event.resource_pre_event is not None:
            step = event.resource_pre_event.metadata
            if is_counted(step.type):
                self._asked[step.urn] = step
        elif event.res_outputs_event is not None:
            self._answered(event.res_outputs_event.metadata)
        elif event.diagnostic_event is not None and event.diagnostic_event.severity == "error":
            self._failed(event.diagnostic_event)

    def all(self) -> list[DriftSubject]:
        """Every resource that was to be asked, in the order of the state; without an answer it is unknown."""
        return [
            self.subjects.get(urn) or _subject(step, "unknown", reason="the provider gave no answer")
            for urn, step in self._asked.items()
        ]

    def _answered(self, step: Any) -> None:
        if not is_counted(step.type):
            return
        op = str(getattr(step.op, "value", step.op))
        if op == "delete" or step.new is None:
            found = [_item(step, "remove", "there", "gone")]
        else:
            found = [*_unhealthy(step), *_differing(step)]
        self.subjects[step.urn] = _subject(step, "drifted" if found else "clean", items=found)

    def _failed(self, diagnostic: Any) -> None:
        text = plain(diagnostic.message)
        if diagnostic.urn in self._asked:
            self.subjects[diagnostic.urn] = _subject(self._asked[diagnostic.urn], "unknown", reason=text)
        elif text:
            self.errors.append(text)


def _subject(step: Any, state: Any, **more: Any) -> DriftSubject:
    name = f"{resource_kind(step.type)} {resource_name(step.urn)}"
    return DriftSubject(kind="resource", name=name, state=state, server=_server(step), **more)


def _server(step: Any) -> str:
    """The server that a resource belongs to, by its tags."""
    tags = (getattr(step.old or step.new, "inputs", None) or {}).get("tags")
    return str(tags.get("server", "")) if isinstance(tags, Mapping) else ""


def _item(step: Any, how: Any, expected: str, observed: str) -> DriftItem:
    return DriftItem(
        kind=resource_kind(step.type),
        name=resource_name(step.urn),
        how=how,
        expected=expected,
        observed=observed,
        server=_server(step),
    )


def _unhealthy(step: Any) -> list[DriftItem]:
    """What the provider calls half made: stopped, other rules, other ports."""
    name = resource_name(step.urn)
    reasons = [plain(each).removeprefix(f"{name}: ") for each in step.new.init_errors or ()]
    return [_item(step, "change", "as the fleet says", each) for each in reasons]


def _differing(step: Any) -> list[DriftItem]:
    """One item for all properties that differ: they are one thing that somebody changed."""
    if step.new.init_errors:
        return []
    old, new = ((each.outputs or {}) if each is not None else {} for each in (step.old, step.new))
    found = property_changes(old, new)
    if not found:
        return []
    before = ", ".join(f"{each.path} {each.old or 'none'}" for each in found)
    return [_item(step, "change", before, ", ".join(f"{each.path} {each.new or 'none'}" for each in found))]
