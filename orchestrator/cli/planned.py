"""A plan as lines: one per change, with what it replaces or deletes marked in words."""

from __future__ import annotations

from orchestrator.ports import Preview
from orchestrator.reporting.escape import terminal as terminal_text
from orchestrator.reporting.model import Change

_SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}


def changes_text(found: Preview) -> str:
    """The changes of a plan, in Pulumi's order."""
    lines = [_line(change) for change in found.changes]
    return "\n".join(lines or [f"  no change, {found.unchanged} resources as they should be"])


def _line(change: Change) -> str:
    words = {"replace": "REPLACED ", "delete": "DELETED "}.get(change.op, "")
    loses = change.op in ("delete", "replace") and change.kind in ("volume", "bucket")
    loss = "DATA LOSS " if loses else ""
    name, detail = terminal_text(change.name), terminal_text(change.detail)
    return f"  {_SIGNS[change.op]} {change.kind:<9} {name:<24} {words}{loss}{detail}".rstrip()
