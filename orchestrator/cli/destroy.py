"""`steward destroy`: delete a fleet, but never its data by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options import AsJson, FleetFile

if TYPE_CHECKING:
    from orchestrator.app import Run
    from orchestrator.reporting.model import Report


def destroy(
    fleet: FleetFile,
    delete_data: Annotated[
        list[str] | None,
        typer.Option(
            "--delete-data", metavar="NAME", show_default=False,
            help="Lose the data of this volume for good; may be repeated.",
        ),
    ] = None,
    delete_backups_of: Annotated[
        list[str] | None,
        typer.Option(
            "--delete-backups-of", metavar="STACK", show_default=False,
            help="Lose the backups of this fleet, which lives and has them here; may be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Delete every server, network and key of the fleet; exit code 2, nothing touched, while data would go.

    Its backups in the vault of another stack stay, and are there again for a fleet of the same name.

    Example: steward destroy --fleet stacks/fleets/demo.yaml --delete-data db-1-data
    """
    from orchestrator.app import begin_run, forget_stack
    from orchestrator.cli.output import as_document, emit, tell_error
    from orchestrator.cli.progress import progress
    from orchestrator.phases.destroy import Allowed
    from orchestrator.pipelines.destroy import destroy_steps
    from orchestrator.settings import load_settings

    view = progress()
    allowed = Allowed(tuple(delete_data or ()), tuple(delete_backups_of or ()))
    with begin_run(load_settings(beside=fleet), fleet, "destroy", view, view.say) as run:
        run.execute(destroy_steps(run.adapters, run.results, allowed))
        report = run.report()
        if run.problem is None:
            forget_stack(run)
        if as_json:
            stack, kept = run.adapters.target.stack.name, run.results.kept
            content = {"stack": stack, "exit_code": report.exit_code, "backups_kept": kept}
            emit(as_document("steward.destroy/1", run=run.id, **content))
        if run.problem is not None:
            tell_error(run.problem)
        elif not as_json:
            emit(_gone(run, report))
    raise typer.Exit(report.exit_code)


def _gone(run: Run, report: Report) -> str:
    """What went, what was found on the way, what stays and where, and where all of it can be read again."""
    from orchestrator.cli.output import colour, width
    from orchestrator.reporting.terminal import findings

    stack, done = run.adapters.target.stack.name, run.results.steps[-1].message
    lines = [findings(report, width(), colour())] if report.findings else []
    lines.append(f"{stack}: {done}; no server, network or volume of it is left")
    lines += run.results.kept
    if run.results.kept:
        lines.append("they are listed and restored again once the fleet is up: steward backup list")
    return "\n".join([*lines, f"run {run.id}, report {run.folder / 'report.html'}"])
