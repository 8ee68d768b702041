"""`steward up`: make the fleet real, from plan to proof."""

from __future__ import annotations

import typer

from orchestrator.cli.options import AsJson, FleetFile, Hosts, Refresh


def up(fleet: FleetFile, host: Hosts = None, refresh: Refresh = False, as_json: AsJson = False) -> None:
    """Make the fleet real: plan, judge, provision, wait, configure, back up, verify, report.

    A second run changes nothing.

    Example: steward up --fleet stacks/fleets/demo.yaml
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.output import finish
    from orchestrator.cli.progress import progress
    from orchestrator.pipelines.up import up_steps
    from orchestrator.settings import load_settings

    view = progress()
    with begin_run(load_settings(beside=fleet), fleet, "up", view, view.say, create=True, warm=True) as run:
        run.execute(up_steps(run.adapters, run.results, tuple(host or ()), refresh=refresh))
        code = finish(run, as_json=as_json)
    raise typer.Exit(code)
