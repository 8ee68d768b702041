"""`steward verify`: look at every server and judge what is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.options import AsJson, FleetFile, Hosts

Network = Annotated[
    bool,
    typer.Option(
        "--network", help="Also try every flow between servers, other fleets and this machine for real."
    ),
]

Feed = Annotated[
    Path | None,
    typer.Option(
        "--feed",
        metavar="FILE",
        help="What is known of vulnerable packages; else STEWARD_FEED, else feed.json in STEWARD_HOME.",
        show_default=False,
    ),
]


def verify(
    fleet: FleetFile,
    host: Hosts = None,
    network: Network = False,
    feed: Feed = None,
    as_json: AsJson = False,
) -> None:
    """Check services, ports, users, firewalls, timers and snapshots on the servers, and judge by every rule
    what hosts, vault and provider say; changes nothing.

    Example: steward verify --fleet stacks/fleets/demo.yaml --network
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.network_table import network_text
    from orchestrator.cli.output import emit, finish, width
    from orchestrator.cli.progress import progress
    from orchestrator.errors import InputError
    from orchestrator.pipelines.network import verify_network_steps
    from orchestrator.pipelines.verify import verify_steps
    from orchestrator.settings import load_settings

    view = progress()
    if network and host:
        raise InputError(
            "--network", "looks at a flow from both of its ends, so at all servers", got=f"--host {host[0]}",
            next_step="Leave out --host.",
        )  # fmt: skip
    settings = load_settings(beside=fleet)
    settings = replace(settings, feed=feed.absolute()) if feed else settings
    with begin_run(settings, fleet, "verify", view, view.say) as run:
        network_too = verify_network_steps(run.adapters, run.results)
        run.execute(network_too if network else verify_steps(run.adapters, run.results, tuple(host or ())))
        code = finish(run, as_json=as_json)
        if run.results.tried and not as_json:
            emit(network_text(run.results.tried, width()))
    raise typer.Exit(code)
