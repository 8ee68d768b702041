"""`steward validate`: all mistakes of fleet files at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.options import AsJson

if TYPE_CHECKING:
    from orchestrator.app_fleet import Validated


def validate(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Fleet files.", show_default=False)
    ] = None,
    fleet: Annotated[
        list[Path] | None,
        typer.Option("--fleet", metavar="FILE", help="A fleet file; may be repeated.", show_default=False),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="Every fleet below the project's fleets folder; parts that they include count."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check fleet files without touching anything; exit code 2 with every mistake and its line.

    Several files are also held against each other: no two of one stack, no networks in each other's way.

    Example: steward validate --fleet stacks/fleets/demo.yaml

    Example: steward validate --all --json
    """
    from orchestrator.app_fleet import fleets_of, validate_files
    from orchestrator.cli.output import as_document, emit, tell_mistakes, window, wrapped
    from orchestrator.errors import InputError
    from orchestrator.reporting.escape import visible
    from orchestrator.settings import load_settings

    named = [*(files or []), *(fleet or [])]
    settings = load_settings(beside=named[0] if named else None)
    if bool(named) == every:
        raise InputError(
            "validate", "name fleet files, or say --all", next_step="See: steward validate --help"
        )
    found = validate_files(settings, fleets_of(settings, Path.cwd()) if every else named)
    if as_json:
        valid = all(not each.mistakes for each in found)
        emit(as_document("steward.validate/1", valid=valid, files=[row(each) for each in found]))
    for each in found if not as_json else ():
        if each.problem:
            tell_mistakes(each.problem)
        else:
            text = f"{visible(each.path.name)}: valid; stack {each.stack}, servers {', '.join(each.servers)}"
            emit(wrapped(text, window(sys.stdout)))
    if any(each.mistakes for each in found):
        raise typer.Exit(2)


def row(each: Validated) -> dict[str, Any]:
    """One file of the document; a mistake in an included file names that file."""
    mistakes = [
        {"path": m.path, "file": m.source or each.path.name, "line": m.line, "message": m.message}
        for m in each.mistakes
    ]
    return {
        "file": str(each.path), "valid": not mistakes, "mistakes": mistakes,
        "stack": each.stack, "servers": each.servers,
    }  # fmt: skip
