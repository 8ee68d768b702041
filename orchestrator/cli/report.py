"""`steward report`: the record of a run, in any of its formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import completion

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.reporting.model import Report
    from orchestrator.settings import Settings


def report(
    run: Annotated[
        str, typer.Argument(help="A run id, or 'latest'.", autocompletion=completion.runs)
    ] = "latest",
    form: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="text, json, csv, markdown, html, or path (of the HTML page)."
        ),
    ] = "text",
    index: Annotated[
        bool,
        typer.Option(
            "--index", help="Make the page over all runs of that run's stack anew, and say where it is."
        ),
    ] = False,
) -> None:
    """Show the report of a run: what changed, what was found, and the proof.

    Example: steward report latest --format markdown
    """
    from orchestrator.cli.output import colour, emit, width
    from orchestrator.errors import InputError
    from orchestrator.reporting.terminal import findings, summary
    from orchestrator.settings import load_settings

    settings = load_settings()
    known = sorted(path.parent.name for path in (settings.home / "runs").glob("*/report.json"))
    name = known[-1] if run == "latest" and known else run
    if name not in known:
        raise InputError("report", f"no report of run '{run}'", place=str(settings.home / "runs"),
                         next_step="See: steward runs")  # fmt: skip
    page = settings.run_folder(name) / "report.html"
    loaded = _read(settings.run_folder(name) / "report.json", page)
    if index:
        emit(str(_index(settings, loaded)))
    elif form == "text":
        emit(summary(loaded, page, width(), colour()))
        if loaded.findings:
            emit(findings(loaded, width(), colour()))
    elif form == "path":
        emit(str(page))
    else:
        emit(_written(loaded, form))


def _written(report: Report, form: str) -> str:
    """The report in one of the formats for programs; the writers of others are not loaded."""
    from orchestrator.errors import InputError

    if form == "json":
        from orchestrator.reporting.json import to_json as write
    elif form == "csv":
        from orchestrator.reporting.csv import to_csv as write
    elif form == "markdown":
        from orchestrator.reporting.markdown import to_markdown as write
    elif form == "html":
        from orchestrator.reporting.html import to_html as write
    else:
        raise InputError("--format", "is not one of text, json, csv, markdown, html, path", got=form)
    return write(report)


def _read(path: Path, page: Path) -> Report:
    """The report in a file; raises InputError where it is of a newer Steward, or cut off."""
    from orchestrator.errors import InputError
    from orchestrator.reporting.json import from_json

    try:
        return from_json(path.read_text())
    except (OSError, ValueError) as problem:  # what pydantic raises is a ValueError, too
        raise InputError(
            path.parent.name, "its report cannot be read by this version", place=str(path),
            got="; ".join(str(problem).splitlines()[:3]), next_step=f"Its page may still be whole: {page}",
        ) from problem  # fmt: skip


def _index(settings: Settings, report: Report) -> Path:
    """Make the index of the report's stack from what all its runs left."""
    from orchestrator.errors import InputError
    from orchestrator.reporting.history import read_rows
    from orchestrator.reporting.write import ROWS, rows_of, write_index

    if not report.stack_id:
        raise InputError(
            report.stack, "its report was written by an older Steward and does not say which stack it is of",
            next_step="Any new run of the stack brings the index up to date.",
        )  # fmt: skip
    folder = settings.history_folder(report.stack_id)
    found = rows_of(settings.home / "runs", report.stack, report.stack_id)
    return write_index(
        report.stack, folder, read_rows(folder / ROWS) or [], found, settings.cache / "templates"
    )
