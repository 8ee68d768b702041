"""`steward policy waive` and `steward policy baseline`: exceptions written for others to approve."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.options import AsJson
from orchestrator.cli.policy_check import Files, Fleet

_MOST_NAMED = 6

Reference = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        metavar="DIR",
        help="The folder of the policy reference; else the one that STEWARD_POLICY_REFERENCE names.",
        show_default=False,
    ),
]


def waive(
    rule: Annotated[str, typer.Argument(help="The rule that is waived.", autocompletion=completion.rules)],
    subject: Annotated[str, typer.Argument(help="The id of the subject as the report has it, or a pattern.")],
    name: Annotated[str, typer.Option("--id", metavar="ID", help="Names the waiver and its file.")],
    owner: Annotated[str, typer.Option("--owner", metavar="WHO", help="Who answers for the exception.")],
    approver: Annotated[str, typer.Option("--approver", metavar="WHO", help="Who will sign it.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it cannot be mended now.")],
    ticket: Annotated[str, typer.Option("--ticket", metavar="TICKET", help="Where it is followed up.")],
    expires: Annotated[
        datetime,
        typer.Option("--expires", metavar="DAY", formats=["%Y-%m-%d"], help="Its last day, in UTC."),
    ],
    control: Annotated[
        str,
        typer.Option("--control", metavar="TEXT", help="What protects meanwhile: the compensating control."),
    ],
    reference: Reference = None,
    as_json: AsJson = False,
) -> None:
    """Write a waiver that nobody has signed yet, and print what its approver runs to sign it.

    It excuses nothing before that, and nothing here can sign it.

    Example: steward policy waive network.private-range 'urn:*::Network::app' --id W-7 --owner ann@acme.example --approver bob@acme.example --reason "The old office routes it." --ticket OPS-1742 --expires 2027-01-31 --control "The edge firewall admits two addresses."
    """  # noqa: E501  # one command, to be copied
    from orchestrator.app_exceptions import folder_of, signing_commands, write_waiver
    from orchestrator.cli.output import as_document, emit
    from orchestrator.clock import SystemClock
    from orchestrator.settings import load_settings
    from policies.waivers import Waiver

    settings = load_settings()
    folder = folder_of(settings, reference)
    made = Waiver(
        id=name, rule=rule, subject=subject, owner=owner, approver=approver, reason=reason, ticket=ticket,
        created=SystemClock().now().date(), expires=expires.date(), compensating_control=control,
    )  # fmt: skip
    path = write_waiver(settings, folder, made)
    sign, verify = signing_commands(folder, made, path)
    if as_json:
        emit(as_document("steward.policy-waive/1", path=str(path), sign=sign, verify=verify))
        return
    emit(f"{path}: written, and signed by nobody, so it excuses nothing yet")
    emit(f"{approver} signs it, with a key of their own:\n  {sign}")
    emit(f"Anybody checks that:\n  {verify}")


def baseline(
    files: Files,
    fleet: Fleet = None,
    smaller: Annotated[
        bool, typer.Option("--shrink", help="Take out of the baseline what was mended; nothing comes in.")
    ] = False,
    reference: Reference = None,
    as_json: AsJson = False,
) -> None:
    """Begin the baseline with every failure in the files that may be excused, or take out what was mended.

    One that is there never grows: mend or waive what is new.

    Example: steward policy baseline --from preview.json --reference policy

    Example: steward policy baseline --from preview.json --reference policy --shrink
    """
    from orchestrator.app_exceptions import folder_of, write_baseline
    from orchestrator.app_policy import Asked
    from orchestrator.cli.output import as_document, emit
    from orchestrator.reporting.humanise import plural
    from orchestrator.settings import load_settings

    settings = load_settings(beside=fleet or files[0])
    done = write_baseline(settings, folder_of(settings, reference), Asked(files, fleet), smaller=smaller)
    if as_json:
        stayed = [{"rule": each.rule, "subject": each.subject} for each in done.absent]
        row = {"path": str(done.path), "entries": done.entries, "before": done.before, "absent": stayed}
        emit(as_document("steward.policy-baseline-write/1", **row))
        return
    gone = f", {done.before - done.entries} taken out" if smaller else ""
    excused = "1 failure is excused until its value changes"
    if done.entries != 1:
        excused = f"{done.entries} failures are excused until their values change"
    emit(f"{done.path}: {excused}{gone}")
    if done.absent:
        emit(
            f"{plural(len(done.absent), 'entry stays', 'entries stay')} because these files do not have the "
            "subject; where one is gone for good, take its line out of the file"
        )
        for entry in done.absent[:_MOST_NAMED]:
            emit(f"  {entry.rule} on {entry.subject}")
        if len(done.absent) > _MOST_NAMED:
            emit(f"  and {len(done.absent) - _MOST_NAMED} more")
