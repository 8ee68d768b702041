"""Plain tables."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.reporting.escape import terminal as terminal_text


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns; cells are made safe for a terminal."""
    safe = [[terminal_text(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in safe) for column in range(len(safe[0]))]
    return "\n".join("  ".join(cell.ljust(widths[i]) for i, cell in enumerate(row)).rstrip() for row in safe)
