"""`steward rotate ssh|host-keys|repository|database`: new credentials without an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from orchestrator.cli.options import AsJson, FleetFile, Hosts

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.app import Run
    from orchestrator.pipelines.step import Steps

app = typer.Typer(
    help="Change credentials with no downtime; interrupted anywhere, the same command finishes it.",
    rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False,
)  # fmt: skip


@app.command()
def ssh(fleet: FleetFile, as_json: AsJson = False) -> None:
    """Give the stack a new admin key: add it everywhere, log in with it, then remove the old one.

    Example: steward rotate ssh --fleet stacks/fleets/demo.yaml
    """
    from orchestrator.pipelines.rotation import ssh_steps

    _rotate("rotate ssh", fleet, as_json, lambda run: ssh_steps(run.adapters, run.results))


@app.command(name="host-keys")
def host_keys(fleet: FleetFile, host: Hosts = None, as_json: AsJson = False) -> None:
    """Give servers new SSH host keys: known here first, then shown and pinned, then the old ones go.

    Example: steward rotate host-keys --fleet stacks/fleets/demo.yaml --host web-1
    """
    from orchestrator.pipelines.rotation import host_key_steps

    wanted = tuple(host or ())
    _rotate("rotate host-keys", fleet, as_json, lambda run: host_key_steps(run.adapters, run.results, wanted))


@app.command()
def repository(fleet: FleetFile, host: Hosts = None, as_json: AsJson = False) -> None:
    """Give servers new passwords for their backup repositories, at the vault and for the content.

    Example: steward rotate repository --fleet stacks/fleets/demo.yaml --host db-1
    """
    from orchestrator.pipelines.rotation import repository_steps

    wanted = tuple(host or ())
    _rotate(
        "rotate repository", fleet, as_json, lambda run: repository_steps(run.adapters, run.results, wanted)
    )


@app.command()
def database(fleet: FleetFile, as_json: AsJson = False) -> None:
    """Give users of PostgreSQL, and Redis, new passwords: let in and used beside the old ones, which then go.

    These are the passwords that Steward makes, `{generated: USER}` in the fleet.

    Example: steward rotate database --fleet stacks/fleets/catalogue.yaml
    """
    from orchestrator.pipelines.database_rotation import database_steps

    _rotate("rotate database", fleet, as_json, lambda run: database_steps(run.adapters, run.results))


def _rotate(verb: str, fleet: FleetFile, as_json: bool, steps: Callable[[Run], Steps]) -> None:
    from orchestrator.app import begin_run
    from orchestrator.cli.output import finish
    from orchestrator.cli.progress import progress
    from orchestrator.settings import load_settings

    view = progress()
    with begin_run(load_settings(beside=fleet), fleet, verb, view, view.say) as run:
        run.execute(steps(run))
        code = finish(run, as_json=as_json)
    raise typer.Exit(code)
