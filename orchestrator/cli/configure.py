"""`steward configure`: let the playbooks converge servers that exist."""

from __future__ import annotations

import typer

from orchestrator.cli.options import AsJson, FleetFile, Hosts


def configure(fleet: FleetFile, host: Hosts = None, as_json: AsJson = False) -> None:
    """Converge the servers of a fleet, or only those named by --host; changes no infrastructure.

    Example: steward configure --fleet stacks/fleets/demo.yaml --host web-2
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.output import finish
    from orchestrator.cli.progress import progress
    from orchestrator.pipelines.configure import converge_steps
    from orchestrator.settings import load_settings

    view = progress()
    with begin_run(load_settings(beside=fleet), fleet, "configure", view, view.say) as run:
        run.execute(converge_steps(run.adapters, run.results, tuple(host or ())))
        code = finish(run, as_json=as_json)
    raise typer.Exit(code)
