"""`steward patch`: upgrade packages in the window in which a service may be interrupted."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.options import AsJson, FleetFile, Hosts

Now = Annotated[
    bool, typer.Option("--now", help="Also outside of the maintenance window; the report says so.")
]
SecurityOnly = Annotated[bool, typer.Option("--security-only", help="Only packages with a security update.")]


def patch(
    fleet: FleetFile,
    host: Hosts = None,
    now: Now = False,
    security_only: SecurityOnly = False,
    as_json: AsJson = False,
) -> None:
    """Upgrade packages host by host in the services' maintenance windows, with reboots where they are due.

    Example: steward patch --fleet stacks/fleets/demo.yaml --security-only
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.output import finish
    from orchestrator.cli.progress import progress
    from orchestrator.pipelines.patch import patch_steps
    from orchestrator.settings import load_settings

    view = progress()
    with begin_run(load_settings(beside=fleet), fleet, "patch", view, view.say) as run:
        wanted = tuple(host or ())
        run.execute(patch_steps(run.adapters, run.results, wanted, now=now, security_only=security_only))
        code = finish(run, as_json=as_json)
    raise typer.Exit(code)
