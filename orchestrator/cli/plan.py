"""`steward plan`: what would change, and what the rules say. Touches nothing."""

from __future__ import annotations

import typer

from orchestrator.cli.options import AsJson, FleetFile, Refresh


def plan(fleet: FleetFile, refresh: Refresh = False, as_json: AsJson = False) -> None:
    """Show what `up` would change and what the policies say; exit code 1 when a rule blocks.

    Example: steward plan --fleet stacks/fleets/demo.yaml
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.output import emit, finish
    from orchestrator.cli.planned import changes_text
    from orchestrator.cli.progress import progress
    from orchestrator.pipeline import plan_steps
    from orchestrator.settings import load_settings

    view = progress()
    with begin_run(load_settings(), fleet, "plan", view, view.say, create=True) as run:
        run.execute(plan_steps(run.adapters, run.results, refresh=refresh))
        if not as_json and run.results.preview is not None:
            emit(changes_text(run.results.preview))
        code = finish(run, as_json=as_json)
    raise typer.Exit(code)
