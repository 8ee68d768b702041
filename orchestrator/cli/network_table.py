"""The flows that were tried, as a table: who gets in where, and what is not as the fleet says."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from orchestrator.cli.tables import aligned
from orchestrator.reporting.escape import terminal as terminal_text
from orchestrator.verification.reach import Tried, counted, table


def network_text(tried: Sequence[Tried], width: int) -> str:
    """One row a server and port, differences below it in words, in at most `width` columns."""
    rows = table(tried)
    if not rows:
        return f"network: {counted(tried)}"
    lines = aligned([["server", "port", "gets in"], *(row[:3] for row in rows)]).splitlines()
    shown = [f"network: {terminal_text(counted(tried))}", lines[0][:width]]
    for line, (*_, differs) in zip(lines[1:], rows, strict=True):
        shown.append(line if len(line) <= width else line[: width - 1] + "…")
        shown += textwrap.wrap(terminal_text(differs), width, initial_indent="  ✗ ", subsequent_indent="    ")
    return "\n".join(shown)
