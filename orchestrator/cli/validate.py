"""`steward validate`: all mistakes of a fleet file at once."""

from __future__ import annotations

from orchestrator.cli.options import AsJson, FleetFile


def validate(fleet: FleetFile, as_json: AsJson = False) -> None:
    """Check a fleet file without touching anything; exit code 2 with every mistake and its line.

    Example: steward validate --fleet stacks/fleets/demo.yaml
    """
    import typer

    from orchestrator.app_fleet import read_fleet
    from orchestrator.cli.output import as_document, emit
    from orchestrator.settings import load_settings
    from stacks.fleet.mistakes import FleetInvalid

    try:
        loaded = read_fleet(load_settings(), fleet)
    except FleetInvalid as problem:
        if not as_json:
            raise
        rows = [{"path": m.path, "line": m.line, "message": m.message} for m in problem.mistakes]
        emit(as_document("steward.validate/1", valid=False, file=str(fleet), mistakes=rows))
        raise typer.Exit(2) from problem
    servers = [name for _, name in loaded.fleet.server_names()]
    if as_json:
        emit(
            as_document(
                "steward.validate/1",
                valid=True,
                file=str(fleet),
                mistakes=[],
                stack=loaded.fleet.stack,
                servers=servers,
            )
        )
    else:
        emit(f"{fleet.name}: valid; stack {loaded.fleet.stack}, servers {', '.join(servers)}")
