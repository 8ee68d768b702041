"""plan: what would change, and whether the rules allow it. Touches nothing."""

from __future__ import annotations

from orchestrator.errors import FindingsError
from orchestrator.ports import Preview, Provisioner, Target


def plan(target: Target, provisioner: Provisioner, *, refresh: bool = False) -> Preview:
    """Preview the stack with its policies; `refresh` looks at what is really there first."""
    return provisioner.preview(target, refresh=refresh)


def refuse_if_blocked(target: Target, found: Preview) -> None:
    """Raise FindingsError that names each blocking rule and its subject."""
    if not found.blocked:
        return
    bad = [
        p for p in found.policies if p.state in ("fail", "unknown", "error") and p.enforcement == "mandatory"
    ]
    names = ", ".join(sorted({f"{p.rule} ({p.subject})" for p in bad}))
    raise FindingsError(
        target.stack.name,
        f"{len(bad)} blocking finding{'s' * (len(bad) != 1)}; nothing was changed: {names}",
        next_step=f"Mend the fleet, or read: steward policy explain {bad[0].rule}",
    )


def summary(found: Preview) -> str:
    """`3 to create, 1 to update, 12 unchanged · 96 policy results, 0 blocking`."""
    counts: dict[str, int] = {}
    for change in found.changes:
        counts[change.op] = counts.get(change.op, 0) + 1
    parts = [f"{count} to {op}" for op, count in counts.items()]
    parts = parts or ["only outputs and promises change" if found.differs else "no change"]
    return f"{', '.join(parts)}, {found.unchanged} unchanged · {len(found.policies)} policy results"
