"""`steward backup run|list|restore|status`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.options import AsJson, FleetFile, Hosts

app = typer.Typer(
    help="Take, list, restore and judge backups.", rich_markup_mode=None, no_args_is_help=True,
    pretty_exceptions_enable=False,
)  # fmt: skip

Plan = Annotated[
    list[str] | None,
    typer.Option(
        "--plan",
        metavar="PLAN",
        help="Only this backup plan; may be repeated.",
        show_default=False,
        autocompletion=completion.plans,
    ),
]


@app.command()
def run(fleet: FleetFile, plan: Plan = None, host: Hosts = None, as_json: AsJson = False) -> None:
    """Take backups now, whether or not they are due, and prove that they arrived.

    Example: steward backup run --fleet stacks/fleets/demo.yaml --plan databases
    """
    _backups("backup run", fleet, plan, host, as_json, take=True)


@app.command()
def status(fleet: FleetFile, plan: Plan = None, host: Hosts = None, as_json: AsJson = False) -> None:
    """Judge every plan's newest snapshot against its RPO, by what the vault saw arrive; takes nothing.

    Example: steward backup status --fleet stacks/fleets/demo.yaml
    """
    _backups("backup status", fleet, plan, host, as_json, take=False)


@app.command(name="list")
def list_(fleet: FleetFile, plan: Plan = None, host: Hosts = None, as_json: AsJson = False) -> None:
    """List the snapshots that each server has in its repository.

    Example: steward backup list --fleet stacks/fleets/demo.yaml --host db-1
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.backup_tables import snapshot_table
    from orchestrator.cli.output import as_document, emit, tell_error
    from orchestrator.cli.progress import progress
    from orchestrator.pipelines.backup import list_steps
    from orchestrator.settings import load_settings

    view = progress(quiet=True)
    with begin_run(load_settings(beside=fleet), fleet, "backup list", view, view.say) as current:
        found: dict[str, list[object]] = {}
        current.execute(
            list_steps(current.adapters, current.results, tuple(host or ()), tuple(plan or ()), found)
        )
        if as_json:
            emit(as_document("steward.backup-list/1", run=current.id, servers=found))
        elif found or current.problem is None:
            emit(snapshot_table(found))
        if current.problem is not None:
            tell_error(current.problem)
        code = current.exit_code = current.problem.exit_code if current.problem else 0
    raise typer.Exit(code)


@app.command()
def restore(
    fleet: FleetFile,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="SERVER",
            help="The server whose backup is restored.",
            autocompletion=completion.servers,
        ),
    ],
    plan: Annotated[
        str,
        typer.Option(
            "--plan",
            metavar="PLAN",
            help="The backup plan.",
            autocompletion=completion.plans,
        ),
    ],
    snapshot: Annotated[
        str, typer.Option("--snapshot", metavar="ID", help="A snapshot id, or 'latest'.")
    ] = "latest",
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="DIR", help="Folder on the server; a scratch folder otherwise."),
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="NAME", help="Only this database of the plan.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore next to the living data and compare every file by hash, every table by its digest.

    Example: steward backup restore --fleet stacks/fleets/demo.yaml --host db-1 --plan databases
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.backup_tables import restore_text
    from orchestrator.cli.output import as_document, emit, tell_error
    from orchestrator.cli.progress import progress
    from orchestrator.phases.restore import RestoreRequest
    from orchestrator.pipelines.backup import restore_steps
    from orchestrator.settings import load_settings

    view = progress(quiet=as_json)
    with begin_run(load_settings(beside=fleet), fleet, "backup restore", view, view.say) as current:
        request = RestoreRequest(
            server=host, plan=plan, snapshot=snapshot, target=target, database=database, run=current.id
        )
        steps = restore_steps(current.adapters, current.results, request)
        current.execute(steps)
        restored = current.results.restored
        code = current.report().exit_code
        if as_json:
            content = restored.model_dump(mode="json", by_alias=True) if restored else None
            emit(
                as_document("steward.restore/1", run=current.id, server=host, result=content, exit_code=code)
            )
        elif restored is not None:
            emit(restore_text(host, restored))
        if current.problem is not None:
            tell_error(current.problem)
    raise typer.Exit(code)


def _backups(
    verb: str, fleet: FleetFile, plan: list[str] | None, host: list[str] | None, as_json: bool, *, take: bool
) -> None:
    from orchestrator.app import begin_run
    from orchestrator.cli.backup_tables import backup_table, next_commands
    from orchestrator.cli.output import emit, tell_error
    from orchestrator.cli.progress import progress
    from orchestrator.pipelines.backup import run_steps, status_steps
    from orchestrator.reporting.json import to_json
    from orchestrator.settings import load_settings

    view = progress(quiet=as_json)
    with begin_run(load_settings(beside=fleet), fleet, verb, view, view.say) as current:
        build = run_steps if take else status_steps
        current.execute(build(current.adapters, current.results, tuple(host or ()), tuple(plan or ())))
        report = current.report()
        if as_json:
            emit(to_json(report))
        elif report.backups or current.problem is None:
            emit(backup_table(report.backups))
            if after := next_commands(report.findings):
                emit(after)
        if current.problem is not None:
            tell_error(current.problem)
    raise typer.Exit(report.exit_code)
