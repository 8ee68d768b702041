"""`steward evidence verify|list|export|review|erase|hold|rotate`: the proof of what ran."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import completion
from orchestrator.cli.evidence_review import Stack, review
from orchestrator.cli.options import AsJson

app = typer.Typer(
    help="The proof of what ran: one chain of signed records a stack.",
    rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False,
)  # fmt: skip

Signers = Annotated[
    Path | None,
    typer.Option(
        "--allowed-signers", metavar="FILE",
        help="Keys and reviewers that you trust, as allowed_signers of OpenSSH.",
        show_default=False,
    ),
]  # fmt: skip
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays in the chain.")]

app.command()(review)


@app.command()
def verify(stack: Stack = None, signers: Signers = None, as_json: AsJson = False) -> None:
    """Judge every chain: records, signatures, payloads, anchors; exit code 1 names the first bad record.

    Example: steward evidence verify

    Example: steward evidence verify --stack acme-demo --allowed-signers signers
    """
    from orchestrator.cli.evidence_chains import first_key, judged_chains, signers_in, verdict_row
    from orchestrator.cli.output import as_document, emit
    from orchestrator.clock import SystemClock
    from orchestrator.evidence.trust import NOBODY
    from orchestrator.settings import load_settings

    now = SystemClock().now()
    judged = list(judged_chains(load_settings(), stack, now, signers_in(signers) if signers else NOBODY))
    if as_json:
        chains = [verdict_row(folder, verdict, now) for folder, verdict in judged]
        emit(as_document("steward.evidence-verify/1", ok=all(v.ok for _, v in judged), chains=chains))
    else:
        for folder, verdict in judged:
            sign = "ok " if verdict.ok else "BAD"
            emit(f"{sign} {folder.name} ({verdict.records} records): {verdict.words(now)}")
            rest = [each for each in verdict.problems if each.text not in verdict.words(now)]
            lines = [*map(str, rest), *map(str, verdict.reviewers), *verdict.notes, first_key(verdict)]
            emit("".join(f"    {line}\n" for line in lines))
    if any(not verdict.ok for _, verdict in judged):
        raise typer.Exit(1)


@app.command(name="list")
def list_(
    stack: Stack = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the records of a chain, newest first.

    Example: steward evidence list --stack acme-demo --limit 5
    """
    from orchestrator.cli.evidence_chains import about, one_chain
    from orchestrator.cli.output import as_document, emit
    from orchestrator.cli.tables import aligned
    from orchestrator.evidence.chain import ChainFile
    from orchestrator.settings import load_settings

    folder = one_chain(load_settings().home, stack)
    lines = list(ChainFile(folder.chain).lines())[-limit:][::-1]
    if as_json:
        rows = [{**line.record, "sha256": line.sha256} for line in lines]
        emit(as_document("steward.evidence-list/1", stack=folder.name, chain=folder.id, records=rows))
        return
    table = [["record", "at", "kind", "actor", "about", "payloads"]]
    for line in lines:
        at = line.text("ended_at")[:19].replace("T", " ")
        payloads = ", ".join(each.name for each in line.payloads)
        table.append([str(line.number), at, line.kind, line.text("actor"), about(line), payloads])
    emit(aligned(table))


@app.command()
def export(
    period: Annotated[
        str,
        typer.Option(
            "--period", metavar="PERIOD", help="2026, 2026-Q4, 2026-11 or 2026-11-03..2026-11-30; UTC."
        ),
    ],
    stack: Stack = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the bundle.")] = Path(),
    seed: Annotated[
        str,
        typer.Option("--seed", metavar="TEXT", help="The auditor's: chooses the sample; else the head does."),
    ] = "",
    sample: Annotated[int, typer.Option("--sample", min=0, max=10_000, help="How many runs.")] = 25,
    as_json: AsJson = False,
) -> None:
    """Write an auditor's bundle: it verifies with sha256sum and ssh-keygen alone, by a script inside.

    Its payloads are decrypted: it is as confidential as the reports in it.

    Example: steward evidence export --period 2026-Q4 --stack acme-demo
    """
    from orchestrator.cli.evidence_chains import one_chain
    from orchestrator.cli.output import as_document, emit
    from orchestrator.evidence.bundle import export as make
    from orchestrator.evidence.period import read_period
    from orchestrator.private_file import write_private
    from orchestrator.run_evidence import anchors_of
    from orchestrator.settings import load_settings

    settings, wanted = load_settings(), read_period(period)
    folder = one_chain(settings.home, stack)
    with anchors_of(settings, folder) as anchors:
        made = make(folder, wanted, anchors, seed=seed, sample=sample)
    path = out / made.name
    write_private(path, made.content)
    if as_json:
        emit(
            as_document(
                "steward.evidence-export/1", path=str(path), sha256=made.sha256, head=made.head,
                records=made.records, documents=made.documents, erased=made.erased, seed=made.seed,
            )
        )  # fmt: skip
        return
    emit(f"{path}: {made.records} records, {made.documents} documents, {made.erased} erased")
    chosen = "" if seed else ", chosen here: better one that the auditor names, --seed TEXT"
    emit(f"sha256 {made.sha256}\nseed of the sample {made.seed}{chosen}")
    emit(
        f"To verify: tar -xf {path}, then sh verify.sh --all --in its folder; take the script from elsewhere."
    )


@app.command()
def hold(
    reason: Reason,
    stack: Stack = None,
    run: Annotated[
        str, typer.Option("--run", metavar="RUN", help="Only this run; else everything.", show_default=False)
    ] = "",
    release: Annotated[
        int | None,
        typer.Option("--release", metavar="RECORD", help="End the hold of that record.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set a legal hold: nothing that it covers is erased, whatever retention says, until it is released.

    Example: steward evidence hold --stack acme-demo --reason "case 12/26"

    Example: steward evidence hold --release 17 --reason "case closed"
    """
    from orchestrator.cli.evidence_chains import chain_writer
    from orchestrator.cli.output import as_document, emit
    from orchestrator.errors import InputError
    from orchestrator.evidence.record import Kind

    with chain_writer(stack) as writer:
        standing = writer.standing()
        if release is None:
            if run:
                standing.of_run(run)
            line = writer.append(Kind.HOLD, {"run": run, "reason": reason})
        elif release in standing.holds:
            line = writer.append(Kind.RELEASE, {"hold": release, "reason": reason})
        else:
            raise InputError("evidence", f"record {release} is no hold that is in force",
                             got=", ".join(map(str, standing.holds)) or "no holds")  # fmt: skip
        holds = [vars(each) for each in writer.standing().holds.values()]
    if as_json:
        emit(as_document("steward.evidence-hold/1", record=line.number, holds=holds))
        return
    emit(f"record {line.number}: {line.kind}; in force now: {len(holds)}")


@app.command()
def erase(
    reason: Reason,
    run: Annotated[
        str | None, typer.Argument(help="The run whose documents go.", autocompletion=completion.runs)
    ] = None,
    stack: Stack = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="Everything that is older than the retention.")
    ] = False,
    months: Annotated[int, typer.Option("--months", min=1, max=600, help="The retention.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Erase the documents of a run, or all past their retention; tombstones stay, and the chain holds.

    Example: steward evidence erase 01JD --reason "asked by the person it names"

    Example: steward evidence erase --expired --reason retention
    """
    from orchestrator.cli.evidence_chains import chain_writer
    from orchestrator.cli.output import as_document, emit
    from orchestrator.clock import SystemClock
    from orchestrator.errors import InputError
    from orchestrator.evidence.standing import erasable

    if (run is None) != expired:
        raise InputError(
            "evidence", "say which: a run, or --expired", next_step="See: steward evidence erase --help"
        )
    with chain_writer(stack) as writer:
        finished = writer.finish_erasures()
        standing = writer.standing()
        pairs = standing.past_retention(SystemClock().now(), months) if run is None else standing.of_run(run)
        cause = f"retention of {months} months" if run is None else "request"
        lines = writer.erase(erasable(pairs, standing), cause, reason)
    rows = [{"record": line.number, **line.body} for line in lines]
    if as_json:
        emit(as_document("steward.evidence-erase/1", erased=rows, finished=finished))
        return
    emit(f"{len(rows)} documents erased, each with a tombstone; the records of their runs stay")


@app.command()
def rotate(
    reason: Reason,
    stack: Stack = None,
    lost: Annotated[
        bool, typer.Option("--lost", help="The key in force is gone: begin with one that none vouches for.")
    ] = False,
    revoke_since: Annotated[
        int | None,
        typer.Option(
            "--revoke-since",
            metavar="RECORD",
            show_default=False,
            help="The old key is not to be believed from that record on.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give the chain a new signing key; the old one signs that and is deleted.

    Example: steward evidence rotate --stack acme-demo --reason yearly

    Example: steward evidence rotate --reason "stolen laptop" --revoke-since 120
    """
    from orchestrator.cli.evidence_chains import chain_writer
    from orchestrator.cli.output import as_document, emit
    from orchestrator.evidence.keys import key_in_force
    from orchestrator.evidence.sshsig import fingerprint

    with chain_writer(stack) as writer:
        old = fingerprint(key_in_force(writer.chain))
        line = writer.replace_lost_key(reason) if lost else writer.rotate(reason)
        if revoke_since is not None:
            writer.revoke(old, revoke_since, reason)
    new = str(line.body["fingerprint"])
    if as_json:
        emit(as_document("steward.evidence-rotate/1", record=line.number, old=old, new=new))
        return
    emit(f"record {line.number}: {new} signs from now on, {old} no more")
