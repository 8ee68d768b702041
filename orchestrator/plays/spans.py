"""When each host was busy in a converge, by role: what the report's timeline draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orchestrator.reporting.seen import HostSpan

_MOST_SPANS = 24
"""More would be thinner than a line of the drawing; later ones are drawn as one."""


@dataclass
class _Stretch:
    role: str
    start: datetime
    end: datetime
    tasks: int = 0
    changed: int = 0
    failed: bool = False


@dataclass
class HostTimes:
    """One host's tasks as they come, in order; a task without times counts in `seconds` alone."""

    seconds: float = 0.0
    _stretches: list[_Stretch] = field(default_factory=list)

    def add(self, record: Mapping[str, Any], *, failed: bool) -> None:
        """Take one task's record."""
        seconds = float(record.get("seconds") or 0.0)
        self.seconds += seconds
        end = _instant(record.get("ended_at"))
        if end is None:
            return
        start = _instant(record.get("started_at")) or end - timedelta(seconds=seconds)
        stretch = self._stretch(str(record.get("role") or ""), start, end)
        stretch.end = max(stretch.end, end)
        stretch.tasks += record["kind"] != "runner_on_skipped"
        stretch.changed += bool(record.get("changed"))
        stretch.failed |= failed

    def _stretch(self, role: str, start: datetime, end: datetime) -> _Stretch:
        last = self._stretches[-1] if self._stretches else None
        if last and (last.role == role or len(self._stretches) == _MOST_SPANS):
            return last
        self._stretches.append(_Stretch(role, start, end))
        return self._stretches[-1]

    def spans(self) -> tuple[HostSpan, ...]:
        """The stretches so far; roles in which every task was skipped are left out."""
        return tuple(
            HostSpan(
                role=each.role,
                started_at=each.start,
                duration_seconds=round(max(0.0, (each.end - each.start).total_seconds()), 3),
                tasks=each.tasks,
                changed=each.changed,
                failed=each.failed,
            )
            for each in self._stretches
            if each.tasks
        )


def _instant(text: Any) -> datetime | None:
    """A time as Ansible's callback writes it, None when there is none."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
