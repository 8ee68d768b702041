"""`steward drift`: what was changed by hand, on hosts and in infrastructure. Changes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.options import AsJson, FleetFile, Hosts

Accept = Annotated[
    bool,
    typer.Option(
        "--accept",
        help="Take the hosts as they are now for what they should be, if all works there; needs --host.",
    ),
]


Items = Annotated[
    list[str] | None,
    typer.Option(
        "--item",
        metavar="TEXT",
        help="With --accept: only this change, as it is told ('file /etc/motd') or by its name; all others "
        "stay drift; may be repeated.",
        show_default=False,
    ),
]


def drift(
    fleet: FleetFile,
    host: Hosts = None,
    accept: Accept = False,
    item: Items = None,
    as_json: AsJson = False,
) -> None:
    """Say what is no longer as its last converge and the state have it: drifted, clean or unknown.

    Exit code 0 only when everything is clean. Changes nothing on hosts and in infrastructure.

    Example: steward drift --fleet stacks/fleets/demo.yaml

    Example: steward drift --fleet stacks/fleets/demo.yaml --host web-1 --accept --item 'file /etc/motd'
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.output import emit, emit_error, tell_error, width
    from orchestrator.cli.progress import progress
    from orchestrator.errors import InputError
    from orchestrator.phases.drift import commands
    from orchestrator.pipelines.drift import drift_steps
    from orchestrator.reporting.drift import drift_of, to_json
    from orchestrator.reporting.drift_text import drift_text
    from orchestrator.settings import load_settings

    if accept and not host:
        raise InputError("--accept", "names no host", next_step="Say which with --host SERVER.")
    if item and not accept:
        raise InputError("--item", "goes with --accept", next_step="Say --accept, or leave --item out.")
    view = progress()
    with begin_run(load_settings(beside=fleet), fleet, "drift", view, view.say, warm=True) as run:
        steps = drift_steps(
            run.adapters, run.results, run.fleet_file, tuple(host or ()), accept=accept, items=item or ()
        )
        run.execute(steps)
        report = run.report()
        found = drift_of(report, run.results.drift, commands(run.results.drift))
        if as_json and (run.problem is None or run.results.drift):
            emit(to_json(found))
        elif as_json and run.problem is not None:
            emit_error(run.problem)
        elif run.results.drift:
            emit(drift_text(found, width()))
        if run.problem is not None:
            tell_error(run.problem)
    raise typer.Exit(report.exit_code)
