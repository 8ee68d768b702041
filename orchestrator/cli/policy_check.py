"""`steward policy check`: judge saved previews, states, playbooks and documents; asks nothing and nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options import AsJson

if TYPE_CHECKING:
    from datetime import datetime

Files = Annotated[
    list[Path],
    typer.Option(
        "--from",
        metavar="FILE",
        help="A saved preview or state, a folder or file of playbooks, a fleet file, facts of hosts (also "
        "a folder of them), or a document that steward wrote; may be repeated.",
        show_default=False,
    ),
]
Fleet = Annotated[
    Path | None,
    typer.Option(
        "--fleet",
        metavar="FILE",
        help="The fleet that files belong to which do not say so; without it, the only fleet file among "
        "them; else they are judged most strictly.",
        show_default=False,
    ),
]
Expected = Annotated[
    Path | None,
    typer.Option(
        "--expected",
        metavar="FILE",
        help="JSON: the administrators, ports and settings that are expected of each host, beside its facts.",
        show_default=False,
    ),
]
Feed = Annotated[
    Path | None,
    typer.Option(
        "--feed",
        metavar="FILE",
        help="JSON: known vulnerabilities by source package, and as of when, for facts of hosts.",
        show_default=False,
    ),
]
Since = Annotated[
    str,
    typer.Option(
        "--changed-since",
        metavar="REF",
        help="Judge only what differs from the files at this Git commit; the rest is listed as not run.",
        show_default=False,
    ),
]
AsOf = Annotated[
    str,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="Count ages to this moment, as 2026-11-28T20:00:00Z, and not to now: to judge again what was "
        "judged then. Never green.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="DIR", help="Write the report there, in every format.", show_default=False
    ),
]


_NARROWEST = 40


def check(
    files: Files,
    fleet: Fleet = None,
    expected: Expected = None,
    feed: Feed = None,
    changed_since: Since = "",
    as_of: AsOf = "",
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Judge files by all rules, without Pulumi, a cloud or a host; the same findings as online.

    Exit code 1 when a finding blocks.

    Example: steward policy check --from preview.json --from playbooks --output report
    """
    import gc

    gc.disable()  # a process that lives for half a second; what it makes, it needs to its end
    from orchestrator.app_policy import Asked, check_files
    from orchestrator.cli.output import emit, width
    from orchestrator.cli.policy_formats import write_formats
    from orchestrator.settings import load_settings

    asked = Asked(files, fleet, changed_since, expected, feed, _moment(as_of))
    report = check_files(load_settings(beside=fleet or files[0]), asked)
    # With the models of the report, which are loaded while copies of this process judge.
    from orchestrator.reporting.policy.json import to_json
    from orchestrator.reporting.policy.text import to_text

    saved = [] if output is None else write_formats(report, output)
    emit(
        to_json(report)
        if as_json
        else to_text(report, width(least=_NARROWEST), str(saved[0]) if saved else "")
    )
    gc.freeze()  # or the interpreter looks through all of it for garbage before it ends
    raise typer.Exit(report.verdict.exit_code)


def _moment(text: str) -> datetime | None:
    """The moment that `--as-of` names, None where it is left out; raises InputError."""
    from orchestrator.errors import InputError
    from policies.subjects.moments import moment

    found = moment(text)
    if text and found is None:
        raise InputError(
            "--as-of", "is no moment", rule="a date and time with their zone", got=text,
            next_step="Write it as 2026-11-28T20:00:00Z.",
        )  # fmt: skip
    return found
