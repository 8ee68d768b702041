"""`steward runs`: what this installation did."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.options import AsJson


def runs(
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack",
            help="Only runs on this stack.",
            show_default=False,
            autocompletion=completion.stacks,
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first, with their exit codes; a run without one was killed or is still at work.

    Example: steward runs --stack acme-demo --limit 5
    """
    from orchestrator.cli.output import as_document, emit
    from orchestrator.cli.tables import aligned
    from orchestrator.evidence.ledger import open_ledger
    from orchestrator.settings import load_settings

    rows = open_ledger(load_settings()).last_runs(stack, limit)
    if as_json:
        emit(as_document("steward.runs/1", runs=rows))
        return
    table = [["run", "stack", "verb", "started", "exit"]]
    for row in rows:
        code = "?" if row["exit_code"] is None else str(row["exit_code"])
        table.append(
            [row["id"], row["stack"], row["verb"], row["started_at"][:19].replace("T", " ") + " UTC", code]
        )
    emit(aligned(table))
