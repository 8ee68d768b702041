"""The page over all runs of a stack: one file that loads nothing and runs nothing, filters included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.reporting.history import RunRow
from orchestrator.reporting.html import render_page
from orchestrator.reporting.humanise import instant, plural
from orchestrator.reporting.trend import path, trends

MOST_ROWS = 1_000
VERBS = ("up", "plan", "configure", "verify", "backup", "destroy")
"""What the page can be filtered by; `backup` stands for all its verbs, any other verb is `other`."""


def to_index(stack: str, rows: Sequence[RunRow], compiled: Path | None = None) -> str:
    """The page; `rows` are oldest first, as they are kept. `compiled` is as in `render_page`."""
    newest_first = list(reversed(rows))
    return render_page(
        "index.html.j2",
        compiled,
        stack=stack,
        summary=summary(stack, rows),
        rows=newest_first[:MOST_ROWS],
        left_out=max(0, len(rows) - MOST_ROWS),
        trends=trends(rows),
        path=path,
        kind=kind,
        verbs=[verb for verb in (*VERBS, "other") if any(kind(row.verb) == verb for row in rows)],
        standings=[
            tone for tone in ("bad", "attention", "unknown", "good") if any(r.tone == tone for r in rows)
        ],
    )


def summary(stack: str, rows: Sequence[RunRow]) -> str:
    """What happened so far, in one sentence."""
    if not rows:
        return f"{stack} had no run yet."
    newest, since = rows[-1], instant(rows[0].started_at)[:10]
    ended = f"the newest ({newest.verb}) ended: {newest.headline.lower()}"
    return f"{stack} had {plural(len(rows), 'run')} since {since}; {ended}."


def kind(verb: str) -> str:
    """The filter that a verb falls under."""
    first = verb.split(" ", maxsplit=1)[0]
    return first if first in VERBS else "other"
