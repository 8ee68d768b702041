"""`steward verify`: look at every server and judge what is seen."""

from __future__ import annotations

import typer

from orchestrator.cli.options import AsJson, FleetFile, Hosts


def verify(fleet: FleetFile, host: Hosts = None, as_json: AsJson = False) -> None:
    """Check services, ports, users, firewalls, timers and snapshots on the servers; changes nothing.

    Example: steward verify --fleet stacks/fleets/demo.yaml
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.output import finish
    from orchestrator.cli.progress import progress
    from orchestrator.pipeline import verify_steps
    from orchestrator.settings import load_settings

    view = progress()
    with begin_run(load_settings(), fleet, "verify", view, view.say) as run:
        run.execute(verify_steps(run.adapters, run.results, tuple(host or ())))
        code = finish(run, as_json=as_json)
    raise typer.Exit(code)
