"""Steps that the engine tells of while it runs, in the words that rules are given."""

from __future__ import annotations

from typing import Any

from policies.subjects.steps import PlannedStep


def planned_step(step: Any) -> PlannedStep:
    """A step out of an event's metadata; secrets in it are hidden by the engine already."""
    old, new = step.old, step.new
    known, op = new or old, str(getattr(step.op, "value", step.op))
    return PlannedStep(
        op=op,
        urn=step.urn,
        type=step.type,
        old=None if old is None else old.inputs or {},
        new=None if new is None else new.inputs or {},
        protected_before=bool(old and old.protect),
        protected_after=bool(new and new.protect),
        is_component=not (known and known.provider),
        replace_reasons=tuple(step.keys or ()) if "replace" in op else (),
    )
