"""`steward backup run|list|restore|accept|status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.options import AsJson, FleetFile, Hosts

if TYPE_CHECKING:
    from orchestrator.app import Run
    from orchestrator.backups.documents import Snapshot
    from orchestrator.phases.restore import RestoreRequest

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


AcceptedHosts = Annotated[
    list[str],
    typer.Option(
        "--host",
        metavar="SERVER",
        help="The server that was made anew; may be repeated.",
        autocompletion=completion.servers,
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
    """List the snapshots of each server, and those that its predecessors left in the vault.

    A predecessor is an earlier server of that name, lost or destroyed; its snapshots are restored by id.

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
        found: dict[str, list[Snapshot]] = {}
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
        str,
        typer.Option(
            "--snapshot",
            metavar="ID",
            help="A snapshot id, also one of a predecessor, or 'latest'.",
        ),
    ] = "latest",
    target: Annotated[
        str | None,
        typer.Option(
            "--target", metavar="DIR", help="Folder on the server, which stays; a scratch folder otherwise."
        ),
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="NAME", help="Only this database of the plan.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore next to the living data and compare every file by hash, every table by its digest.

    On a server that was made anew and not restored yet, 'latest' is the newest of its predecessor. With
    --target the copy stays, and the commands that put it in place are told; otherwise it is removed again.

    Example: steward backup restore --fleet stacks/fleets/demo.yaml --host db-1 --plan databases
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.output import tell_error
    from orchestrator.cli.progress import progress
    from orchestrator.phases.restore import RestoreRequest
    from orchestrator.pipelines.backup import restore_steps
    from orchestrator.settings import load_settings

    view = progress(quiet=as_json)
    with begin_run(load_settings(beside=fleet), fleet, "backup restore", view, view.say) as current:
        request = RestoreRequest(
            server=host, plan=plan, snapshot=snapshot, target=target, database=database, run=current.id
        )
        current.execute(restore_steps(current.adapters, current.results, request))
        code = _tell_restored(current, request, as_json=as_json)
        if current.problem is not None:
            tell_error(current.problem)
    raise typer.Exit(code)


def _tell_restored(current: Run, request: RestoreRequest, *, as_json: bool) -> int:
    from orchestrator.backups.putting_back import Restored
    from orchestrator.cli.backup_tables import restore_text
    from orchestrator.cli.output import as_document, emit

    result, report = current.results.restored, current.report()
    if result is None:
        if as_json:
            told = {"server": request.server, "result": None, "exit_code": report.exit_code}
            emit(as_document("steward.restore/1", run=current.id, **told))
        return report.exit_code
    done = Restored(
        server=request.server,
        plan=request.plan,
        spec=current.adapters.target.loaded.fleet.backups[request.plan],
        snapshot=result.snapshot or "",
        target=request.target,
        databases=(request.database,) if request.database else (),
        fleet_file=current.fleet_file,
        predecessor=bool(report.restore and report.restore.predecessor),
    )
    if not as_json:
        emit(restore_text(result, done))
        return report.exit_code
    content = result.model_dump(mode="json", by_alias=True)
    emit(
        as_document(
            "steward.restore/1", run=current.id, server=request.server, result=content,
            exit_code=report.exit_code, predecessor=done.predecessor, copy_stays=request.target is not None,
            put_back=done.commands() if result.ok else [],
        )
    )  # fmt: skip
    return report.exit_code


@app.command()
def accept(fleet: FleetFile, host: AcceptedHosts, plan: Plan = None, as_json: AsJson = False) -> None:
    """Say that a server made anew has what it needs: its data were put back, or are not wanted.

    Until then a plan whose snapshots lie with a predecessor of its server is not good. Nothing is removed.

    Example: steward backup accept --fleet stacks/fleets/demo.yaml --host db-1
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.output import as_document, emit, tell_error
    from orchestrator.cli.progress import progress
    from orchestrator.pipelines.backup import accept_steps
    from orchestrator.settings import load_settings

    view = progress(quiet=True)
    with begin_run(load_settings(beside=fleet), fleet, "backup accept", view, view.say) as current:
        current.execute(accept_steps(current.adapters, current.results, tuple(host), tuple(plan or ())))
        code = current.exit_code
        told = current.results.steps[-1].message
        if as_json:
            emit(as_document("steward.backup-accept/1", run=current.id, accepted=told, exit_code=code))
        elif current.problem is None:
            emit(f"{told}; what their predecessors left stays in the vault: steward backup list")
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
