"""`steward destroy`: delete a fleet, but never its data by accident."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.options import AsJson, FleetFile


def destroy(
    fleet: FleetFile,
    delete_data: Annotated[
        list[str] | None,
        typer.Option(
            "--delete-data", metavar="NAME", show_default=False,
            help="Lose the data of this volume for good; may be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Delete every server, network and key of the fleet; exit code 2, nothing touched, while data would go.

    Example: steward destroy --fleet stacks/fleets/demo.yaml --delete-data db-1-data
    """
    from orchestrator.app import begin_run, forget_stack
    from orchestrator.cli.output import as_document, emit, tell_error
    from orchestrator.cli.progress import progress
    from orchestrator.pipelines.destroy import destroy_steps
    from orchestrator.settings import load_settings

    view = progress()
    with begin_run(load_settings(beside=fleet), fleet, "destroy", view, view.say) as run:
        run.execute(destroy_steps(run.adapters, run.results, tuple(delete_data or ())))
        code = run.report().exit_code
        if run.problem is None:
            forget_stack(run)
        if as_json:
            emit(
                as_document(
                    "steward.destroy/1", run=run.id, stack=run.adapters.target.stack.name, exit_code=code
                )
            )
        if run.problem is not None:
            tell_error(run.problem)
        elif not as_json:
            done = run.results.steps[-1].message
            emit(f"{run.adapters.target.stack.name}: {done}; no server, network, volume or key of it is left")
    raise typer.Exit(code)
