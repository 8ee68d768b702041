"""Drift for a terminal: what is wrong first, in at most `width` columns."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.reporting.columns import fitted
from orchestrator.reporting.drift import Drift, DriftItem, DriftSubject
from orchestrator.reporting.escape import terminal
from orchestrator.reporting.humanise import instant, plural

_SIGNS = {"drifted": "✕", "unknown": "?", "clean": "✓"}
_MARKS = {"add": "+", "change": "~", "remove": "-"}
_ORDER = ("drifted", "unknown", "clean")


def drift_text(drift: Drift, width: int = 80) -> str:
    """Every subject that is not clean with all that differs, the clean ones counted, and what next."""
    counts = f"{drift.drifted} drifted · {drift.unknown} unknown · {drift.clean} clean"
    found = plural(drift.items, "difference")
    lines = [*fitted(f" {terminal(drift.stack)}  drift  ", f"{counts} · {found}", width)]
    for state in _ORDER[:2]:
        for subject in drift.subjects:
            if subject.state == state:
                lines += _subject(subject, width)
    for kind in ("host", "resource"):
        names = [each.name for each in drift.subjects if each.state == "clean" and each.kind == kind]
        if names:
            listed = ", ".join(map(terminal, names[:8])) + (", …" if len(names) > 8 else "")
            lines += fitted(f" {_SIGNS['clean']} {plural(len(names), kind)} clean: ", listed, width)
    for command in drift.next:
        lines += fitted(" next  ", terminal(command), width)
    return "\n".join(lines)


def _subject(subject: DriftSubject, width: int) -> Iterator[str]:
    since = ""
    if subject.since and subject.since_at is not None:
        since = f"  since {instant(subject.since_at)} (run {terminal(subject.since)})"
    yield from fitted(f" {_SIGNS[subject.state]} ", f"{subject.kind} {terminal(subject.name)}{since}" if
                       subject.kind == "host" else terminal(subject.name), width)  # fmt: skip
    if subject.reason:
        yield from fitted("     ", f"{subject.state}: {terminal(subject.reason)}", width)
    for item in subject.items:
        yield from _item(item, width)


def _item(item: DriftItem, width: int) -> Iterator[str]:
    when = f"  changed {instant(item.changed_at, seconds=True)}" if item.changed_at else ""
    yield from fitted(f"   {_MARKS[item.how]} ", f"{item.kind} {terminal(item.name)}{when}", width)
    yield from fitted("       is        ", terminal(item.observed), width)
    yield from fitted("       should be ", terminal(item.expected), width)
    if item.also:
        told = ", ".join(terminal(each) for each in item.also[:6]) + (", …" if len(item.also) > 6 else "")
        yield from fitted("       with it   ", told, width)
    if item.unhealed_since:
        said = f"no role puts it back (run {terminal(item.unhealed_since)}); {terminal(item.fix)}"
        yield from fitted("       note      ", said, width)
