"""`steward repin`: pin the host key that a server shows now, when a person names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options import AsJson, FleetFile

if TYPE_CHECKING:
    from orchestrator.host_keys import HostKeyPin


def repin(
    fleet: FleetFile,
    host: Annotated[str, typer.Option("--host", metavar="SERVER", help="The server.", show_default=False)],
    accept: Annotated[
        str,
        typer.Option(
            "--accept", metavar="FINGERPRINT", help="The SHA256 fingerprint, as learned on the server itself."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Compare the host key a server shows with the pinned one, and pin it when --accept names it.

    Nothing else leads past a wrong host key. Who accepted which key instead of which is kept in the ledger.

    Example: steward repin --fleet stacks/fleets/demo.yaml --host web-1
    """
    from orchestrator.app import begin_run
    from orchestrator.circumstances import actor
    from orchestrator.cli.output import finish
    from orchestrator.cli.progress import progress
    from orchestrator.pipelines.repin import repin_steps
    from orchestrator.settings import load_settings

    view = progress()
    with begin_run(load_settings(beside=fleet), fleet, "repin", view, view.say) as run:

        def keep(pin: HostKeyPin) -> None:
            run.ledger.pins.record(pin, run.id, actor(), run.adapters.clock.now())

        run.execute(repin_steps(run.adapters, run.results, host, accept, run.fleet_file, keep))
        code = finish(run, as_json=as_json)
    raise typer.Exit(code)
