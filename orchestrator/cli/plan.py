"""`steward plan`: what would change, what it costs, and what the rules say. Touches nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options import AsJson, FleetFile, Refresh

if TYPE_CHECKING:
    from orchestrator.app import Run

AskHosts = Annotated[
    bool, typer.Option("--hosts", help="Ask every host, too, what the playbooks would change there.")
]
AsMarkdown = Annotated[
    bool, typer.Option("--markdown", help="The plan as Markdown on stdout, for a merge request.")
]


def plan(
    fleet: FleetFile,
    refresh: Refresh = False,
    hosts: AskHosts = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Show what `up` would change, what that costs and what the policies say.

    Exit code 1 when a rule blocks it or it costs more than the budget allows.

    Example: steward plan --fleet stacks/fleets/demo.yaml --hosts
    """
    from orchestrator.app import begin_run
    from orchestrator.cli.progress import progress
    from orchestrator.pipelines.check import check_steps, due_steps
    from orchestrator.pipelines.plan import plan_steps
    from orchestrator.settings import load_settings

    view = progress()
    settings = load_settings(beside=fleet)
    with begin_run(settings, fleet, "plan", view, view.say, create=True, warm=hosts) as run:
        ask = partial(check_steps if hosts else due_steps, run.adapters, run.results)
        run.execute(plan_steps(run.adapters, run.results, refresh=refresh, hosts=ask))
        code = show(run, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(code)


def show(run: Run, *, as_json: bool, as_markdown: bool) -> int:
    """Write the run's report, show its plan, and return the exit code it earned."""
    from orchestrator.cli.output import emit, show_report, tell_error, width
    from orchestrator.reporting.plan import plan_of, to_json
    from orchestrator.reporting.plan_markdown import to_markdown
    from orchestrator.reporting.plan_text import changes_text

    report = run.report()
    made = plan_of(report)
    if as_json or as_markdown:
        emit(to_json(made) if as_json else to_markdown(made))
        if run.problem is not None:
            tell_error(run.problem)
        return report.exit_code
    if run.results.preview is not None:
        emit(changes_text(made, width()))
    return show_report(run, report, as_json=False)
