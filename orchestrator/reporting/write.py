"""Puts a run's report on disk, and its row into the index over all runs of the stack."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from orchestrator.reporting.history import RunRow, merged, read_rows, row_of, write_rows
from orchestrator.reporting.html import to_html
from orchestrator.reporting.index import to_index
from orchestrator.reporting.json import from_json, to_json
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Report
from orchestrator.reporting.replace import replace_file

# JSON first: it is the record; the others can be drawn from it again.
FORMATS = {"json": "report.json", "html": "report.html", "markdown": "report.md"}
ROWS, PAGE = "runs.jsonl", "index.html"


def write(report: Report, folder: Path, compiled: Path | None = None) -> dict[str, Path]:
    """Write all formats into the run's folder (files 0600) and say where each is; OSError if that fails.

    `compiled` is a folder for compiled templates, which later runs find.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "json": replace_file(folder / FORMATS["json"], to_json(report), durable=True),
        "html": replace_file(folder / FORMATS["html"], to_html(report, compiled)),
        "markdown": replace_file(folder / FORMATS["markdown"], to_markdown(report)),
    }


def known_rows(folder: Path, runs: Path, stack: str, stack_id: str) -> list[RunRow]:
    """The rows of a stack's runs, made anew from the reports in `runs` where their file is gone or broken."""
    found = read_rows(folder / ROWS)
    return rows_of(runs, stack, stack_id) if found is None else found


def rows_of(runs: Path, stack: str, stack_id: str) -> list[RunRow]:
    """Every report of the stack as a row, oldest first; a file that is no report is left out."""
    rows = []
    for path in sorted(runs.glob("*/report.json")):
        try:
            report = from_json(path.read_text(encoding="utf-8"))
        except (ValidationError, ValueError):
            continue  # of another version, or cut off: its run stays in the ledger
        if report.stack == stack and report.stack_id in ("", stack_id):
            rows.append(row_of(report))
    return rows


def write_index(
    stack: str,
    folder: Path,
    rows: Sequence[RunRow],
    more: Sequence[RunRow] = (),
    compiled: Path | None = None,
) -> Path:
    """Write the rows and the page over them (files 0600); returns the page. OSError if that fails."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = merged(rows, more)
    write_rows(folder / ROWS, kept)
    return replace_file(folder / PAGE, to_index(stack, kept, compiled))
