"""How results and errors leave: text for people, or exactly one JSON document on stdout."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from orchestrator.app import Run
    from orchestrator.errors import StewardError
    from orchestrator.reporting.model import Report
    from stacks.fleet.mistakes import FleetInvalid


def as_document(schema: str, **content: Any) -> str:
    """One JSON document with its schema name."""
    return json.dumps({"schema": schema, **content}, indent=2, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    """A model as its fields, anything else that JSON does not know as text."""
    return value.model_dump(mode="json", by_alias=True) if hasattr(value, "model_dump") else str(value)


class _Stdout:
    """Whether a result was written already: with --json there is one document, never two."""

    used = False


def emit(text: str) -> None:
    """Write a result to stdout."""
    _Stdout.used = True
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def note(text: str) -> None:
    """Write something for people to stderr."""
    sys.stderr.write(text if text.endswith("\n") else text + "\n")


def note_command(text: str) -> None:
    """A command line that is run now, with its time; what acts in a terminal is written as its code."""
    from datetime import UTC, datetime

    from orchestrator.reporting.escape import terminal

    note(f"{datetime.now(UTC):%H:%M:%S} + {terminal(text)}")


def emit_error(problem: StewardError | FleetInvalid) -> None:
    """With --json, an error is a document too, unless the result that names it is out already."""
    if not _Stdout.used:
        emit(error_document(problem))


def colour() -> bool:
    """Whether stdout may carry colour."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def width(least: int = 60) -> int:
    """Columns of the terminal, 80 in a pipe, never more than 120 nor fewer than can be laid out."""
    return max(least, window(sys.stdout) or 80)


def window(stream: TextIO) -> int | None:
    """Columns of the terminal that a stream leads to, at most 120; None for a pipe: tools read lines."""
    if not stream.isatty():
        return None
    try:
        own = os.get_terminal_size(stream.fileno()).columns
    except OSError:  # says that it is a terminal, and has no size
        own = 0
    return min(120, shutil.get_terminal_size((own, 24)).columns or 80)


def wrapped(text: str, columns: int | None) -> str:
    """Lines of a text broken between words where a window is narrower; whole without one."""
    from orchestrator.reporting.columns import laid
    from orchestrator.reporting.escape import terminal_line

    if columns is None:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip(" ")))
        lines += laid(line.lstrip(" ").split(" "), columns, first=indent, then=f"{indent}    ")
    return "\n".join(map(terminal_line, lines))


def tell_error(problem: StewardError) -> None:
    """An error in its five parts."""
    from orchestrator.reporting.escape import visible

    note(wrapped(f"steward: {visible(str(problem), keep_newlines=True)}", window(sys.stderr)))


def tell_mistakes(problem: FleetInvalid) -> None:
    """All mistakes of a fleet file, each with its place and line."""
    from orchestrator.reporting.mistakes import mistakes_text

    columns = window(sys.stderr)
    note(str(problem) if columns is None else mistakes_text(problem, columns))


def error_document(problem: StewardError | FleetInvalid) -> str:
    """An error that came before any result, for whoever asked for JSON."""
    from stacks.fleet.mistakes import FleetInvalid

    if isinstance(problem, FleetInvalid):
        rows = [
            {"path": m.path, "file": m.source or problem.source, "line": m.line, "message": m.message}
            for m in problem.mistakes
        ]
        return as_document(
            "steward.error/1", exit_code=2, subject=problem.source, message="mistakes", mistakes=rows
        )
    return as_document(
        "steward.error/1",
        exit_code=problem.exit_code,
        subject=problem.subject,
        message=problem.message,
        place=problem.place,
        rule=problem.rule,
        got=problem.got,
        next_step=problem.next_step,
    )


def finish(run: Run, *, as_json: bool) -> int:
    """Write the run's report, show it, and return the exit code it earned."""
    return show_report(run, run.report(), as_json=as_json)


def show_report(run: Run, report: Report, *, as_json: bool) -> int:
    """Show the report that the run has written, and return the exit code it earned."""
    from orchestrator.reporting.json import to_json
    from orchestrator.reporting.terminal import findings, lists_findings, summary

    if as_json:
        emit(to_json(report))
    else:
        emit(summary(report, run.folder / "report.html", width(), colour()))
        if lists_findings(report):
            emit(findings(report, width(), colour()))
    if run.problem is not None:
        tell_error(run.problem)
    return report.exit_code
