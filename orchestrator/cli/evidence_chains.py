"""Which chain a verb of `steward evidence` means, who writes to it, and how a verdict is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from orchestrator.circumstances import actor, command
from orchestrator.cli.output import note
from orchestrator.clock import SystemClock
from orchestrator.errors import InputError
from orchestrator.evidence.bundle import client_of
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.folder import EvidenceFolder, folders_by_keys, found_in
from orchestrator.evidence.ledger import RecordedStack, open_ledger
from orchestrator.evidence.record import Circumstances, Line
from orchestrator.evidence.trust import Trusted, trusted_in
from orchestrator.evidence.verdict import Verdict
from orchestrator.evidence.verify import verify
from orchestrator.evidence.writer import EvidenceWriter, open_writer
from orchestrator.run_evidence import anchors_of
from orchestrator.settings import Settings, load_settings

_LARGEST = 1 << 20


def all_chains(home: Path, stack: str | None) -> Sequence[EvidenceFolder]:
    """The chains of a stack's name, also of stacks that were destroyed; of every one without a name."""
    found = [each for each in found_in(home) if stack in (None, each.name)]
    if not found:
        known = ", ".join(dict.fromkeys(each.name for each in found_in(home))) or "none"
        raise InputError(
            "evidence", f"no chain of '{stack}'" if stack else "there is no chain yet",
            place=str(home / "evidence"), got=f"chains: {known}",
            next_step="The first run of a stack begins one.",
        )  # fmt: skip
    return found


def one_chain(home: Path, stack: str | None) -> EvidenceFolder:
    """The chain that is meant: of a name that was used again, that of the living stack."""
    found = all_chains(home, stack)
    if len({each.name for each in found}) > 1:
        raise InputError(
            "--stack", "there are several chains", got=", ".join(each.name for each in found),
            next_step="Name one.",
        )  # fmt: skip
    if len(found) == 1:
        return found[0]
    living = open_ledger(load_settings()).stack(found[0].name)
    return next((each for each in found if living and each.id == living.id), found[-1])


@contextmanager
def chain_writer(stack: str | None) -> Iterator[EvidenceWriter]:
    """The writer of a chain for a person; the new head goes to every anchor at the end."""
    settings = load_settings()
    folder = one_chain(settings.home, stack)
    by = Circumstances(
        actor=actor(),
        command=command(),
        versions={"steward": version("steward-iac")},
    )
    client = client_of(list(ChainFile(folder.chain).lines()))
    with open_writer(folder, client, SystemClock(), by) as writer:
        before = writer.chain.tail().last
        yield writer
        after = writer.chain.tail().last
        if after and before and after.number > before.number:
            with anchors_of(settings, folder) as anchors:
                for refused in writer.anchor(anchors):
                    note(f"evidence is not anchored: {refused}")


def judged_chains(
    settings: Settings, stack: str | None, now: datetime, trusted: Trusted
) -> Iterator[tuple[EvidenceFolder, Verdict]]:
    """Each chain with the verdict on it, its anchors asked; also those that are gone, by ledger and keys."""
    known = _recorded(settings)
    runs = {each.id: each.runs for each in known}
    gone = [each for each in _gone(settings.home, known) if stack in (None, each.name)]
    found = [each for each in found_in(settings.home) if stack in (None, each.name)]
    for folder in [*found, *gone] or all_chains(settings.home, stack):
        with anchors_of(settings, folder) as anchors:
            ended = runs.get(folder.id, ())
            yield folder, verify(folder, anchors, now, trusted=trusted, runs=ended)


def _recorded(settings: Settings) -> Sequence[RecordedStack]:
    """Stacks as the ledger has them; none where there is no ledger, as beside a copy of the evidence."""
    return open_ledger(settings).recorded() if (settings.home / "steward.db").is_file() else ()


def _gone(home: Path, known: Sequence[RecordedStack]) -> Iterator[EvidenceFolder]:
    """Chains that must be there, for runs were recorded or keys signed, and are not."""
    there = {each.id for each in found_in(home)}
    by_runs = [EvidenceFolder(home, each.name, each.id) for each in known if each.runs]
    by_keys = folders_by_keys(home, {each.id: each.name for each in known})
    for folder in dict.fromkeys([*by_runs, *by_keys]):
        if folder.id not in there:
            yield folder


def signers_in(path: Path) -> Trusted:
    """Whom an allowed_signers file trusts with what; raises InputError for a file that names nobody."""
    try:
        found = trusted_in(path.read_text(encoding="utf-8")[:_LARGEST])
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError("--allowed-signers", f"cannot be read: {problem}", place=str(path)) from problem
    if not found.keys and not found.reviewers:
        raise InputError("--allowed-signers", "has no Ed25519 key", place=str(path))
    return found


def about(line: Line) -> str:
    """What a record is about, in a few words."""
    words = [str(line.body[name]) for name in ("verb", "run", "reason", "anchor") if line.body.get(name)]
    return " ".join(words)[:80]


def first_key(verdict: Verdict) -> str:
    """The first key, and whether anybody vouches for it."""
    held = "" if verdict.first_key_trusted else ", which nothing outside of this chain vouches for"
    return f"first key {verdict.first_key or 'none'}{held}"


def verdict_row(folder: EvidenceFolder, verdict: Verdict, now: datetime) -> dict[str, object]:
    """A verdict as a document has it."""
    since = verdict.unanchored_since
    return {
        "stack": folder.name,
        "chain": verdict.chain,
        "ok": verdict.ok,
        "words": verdict.words(now),
        "records": verdict.records,
        "head": verdict.head,
        "first_key": verdict.first_key,
        "first_key_trusted": verdict.first_key_trusted,
        "problems": [vars(each) for each in verdict.problems],
        "anchors": list(verdict.anchors),
        "anchored": verdict.anchored if verdict.anchored >= 0 else None,
        "unanchored": verdict.unanchored,
        "unanchored_seconds": int((now - since).total_seconds()) if since else 0,
        "notes": list(verdict.notes),
        "reviewers": [vars(each) for each in verdict.reviewers],
    }
