"""A Markdown table that ends early: comment fields refuse long texts (GitHub at 65,536 characters)."""

from __future__ import annotations

from collections.abc import Sequence

MOST_ROWS = 50


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], rest: str) -> str:
    """Cells as they are, so each must be neutralised; `rest` is where the rows are that do not fit."""
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        told = [f"and {len(rows) - MOST_ROWS} more in {rest}", *[""] * (len(heads) - 1)]
        lines.append("| " + " | ".join(told) + " |")
    return "\n".join(lines)
