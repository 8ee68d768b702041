"""`steward evidence review`: a person's own signature that a report was read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.options import AsJson

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack", help="The stack; needed where there are several.", show_default=False,
        autocompletion=completion.stacks,
    ),
]  # fmt: skip


def review(
    run: Annotated[
        str, typer.Argument(help="The run whose report was read.", autocompletion=completion.runs)
    ],
    reviewer: Annotated[
        str, typer.Option("--as", metavar="NAME", help="You, as your key is listed in allowed_signers.")
    ],
    stack: Stack = None,
    decision: Annotated[
        str, typer.Option("--decision", metavar="WORD", help="accepted or rejected.")
    ] = "accepted",
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What you want to say of it.")] = "",
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            show_default=False,
            help="Your key; of a public one the other half is asked of your SSH agent.",
        ),
    ] = None,
    signature: Annotated[
        Path | None,
        typer.Option(
            "--signature", metavar="FILE", show_default=False, help="Your signature, made elsewhere."
        ),
    ] = None,
    signers: Annotated[
        Path | None,
        typer.Option(
            "--allowed-signers",
            metavar="FILE",
            show_default=False,
            help="Whose reviews count, as allowed_signers of OpenSSH; else those of the policy reference.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record that a report was read, signed by its reader; without a key, print what is to be signed.

    Example: steward evidence review 01JD --as ann@acme.example --key ann.pub --allowed-signers signers

    Example: steward evidence review 01JD --as ann@acme.example
    """  # fmt: skip
    from orchestrator.cli.evidence_chains import chain_writer
    from orchestrator.cli.output import as_document, emit
    from orchestrator.evidence.record import Kind
    from orchestrator.evidence.review import Review, accepted_review, decision_of, statement_of
    from orchestrator.evidence.sshsig import REVIEW, sign, unarmoured

    with chain_writer(stack) as writer:
        standing = writer.standing()
        standing.of_run(run)
        statement = statement_of(standing.runs[run], reviewer, decision_of(decision), note)
        if key is None and signature is None:
            emit(statement.decode())
            return
        made = unarmoured(_read(signature)) if signature else sign(key or Path(), REVIEW, statement)
        body = accepted_review(
            Review(statement, made), standing.runs, _read(signers) if signers else _of_policy()
        )
        line = writer.append(Kind.REVIEW, body)
    if as_json:
        emit(as_document("steward.evidence-review/1", record=line.number, **{**body, "signature": made}))
        return
    own = "; it is a run of the reviewer's own" if body["own_run"] else ""
    emit(f"record {line.number}: {reviewer} {decision} the report of run {run}{own}")


def _of_policy() -> str:
    """Whose reviews count by the policy reference: lines of `steward-review@v1` whose keys hold today."""
    from orchestrator.clock import SystemClock
    from orchestrator.errors import InputError
    from orchestrator.policy_reference import open_policy
    from orchestrator.settings import load_settings
    from policies.signers import REVIEWS, Standing

    now = SystemClock().now()
    signers = open_policy(load_settings(), now).holding.signers
    good = [
        each.line
        for each in signers.each
        if signers.judge(each.key, REVIEWS, now, clock_suspect=False).standing is Standing.GOOD
        and REVIEWS in each.namespaces
    ]
    if not good:
        raise InputError(
            "--allowed-signers", "is missing, and the policy reference lets nobody sign reviews",
            next_step=f'Name a file, or give a line in its allowed_signers namespaces="{REVIEWS}".',
        )  # fmt: skip
    return "".join(f"{line}\n" for line in good)


def _read(path: Path) -> str:
    from orchestrator.errors import InputError

    try:
        return path.read_text(encoding="utf-8")[: 1 << 20]
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError("review", f"cannot be read: {problem}", place=str(path)) from problem
