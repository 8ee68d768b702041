"""Judges a chain: its records, its payloads, its reviews, and whether the anchors know another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.fence import Fence
from orchestrator.evidence.folder import EvidenceFolder
from orchestrator.evidence.keys import SigningKeys
from orchestrator.evidence.payloads import PayloadStore
from orchestrator.evidence.record import Kind
from orchestrator.evidence.review import review_problem
from orchestrator.evidence.standing import RETENTION_MONTHS, Erasure, Standing, standing_of
from orchestrator.evidence.trust import NOBODY, Trusted, reviewers_of
from orchestrator.evidence.verdict import Fault, Problem, Verdict, said_lost
from orchestrator.evidence.walk import Walk
from orchestrator.evidence.witnesses import witnessed
from orchestrator.ports.evidence import Anchor

_KEYS: Final = (Kind.KEY_CREATED, Kind.KEY_ROTATED)


def verify(
    folder: EvidenceFolder,
    anchors: Sequence[Anchor],
    now: datetime,
    *,
    trusted: Trusted = NOBODY,
    runs: Collection[str] = (),
) -> Verdict:
    """The verdict on one chain. `trusted` is what somebody vouches for, by another way; `runs` are those that
    the ledger saw to their end.
    """
    chain = ChainFile(folder.chain)
    walk = Walk(folder.id, list(chain.raw_lines()), trusted.keys)
    standing = standing_of(walk.lines)
    told = witnessed(folder.id, walk, standing.anchored, anchors)
    problems = [*walk.problems, *told.problems, *_rest(folder, walk, standing, runs)]
    reviewers, strangers = reviewers_of(standing.reviews, trusted)
    problems += strangers
    tail = [line for line in walk.lines[told.newest + 1 :] if line.kind != Kind.ANCHOR]
    return Verdict(
        chain=folder.id,
        records=len(walk.lines),
        head=walk.lines[-1].sha256 if walk.lines else "",
        first_key=walk.first_key,
        first_key_trusted=bool(trusted.keys) or told.newest >= 0,
        problems=tuple(sorted(dict.fromkeys(problems), key=lambda each: each.number)),
        anchors=told.by,
        anchored=told.newest,
        unanchored=len(tail),
        unanchored_since=tail[0].ended_at() if tail else None,
        notes=(*_notes(chain, walk, standing, now), *told.notes),
        reviewers=reviewers,
    )


def _notes(chain: ChainFile, walk: Walk, standing: Standing, now: datetime) -> Iterator[str]:
    """What is no fault, and worth a look."""
    torn = len(chain.tail().torn) if not walk.broken else 0
    if torn:
        yield f"{torn} bytes after the last record are of a writer that was killed; the next one cuts them"
    late = standing.past_retention(now, RETENTION_MONTHS)
    if late:
        old = f"{len(late)} payloads are older than {RETENTION_MONTHS} months"
        yield f"{old}: steward evidence erase --expired"
    if standing.erasures:
        early = sum(each.early for each in standing.erasures)
        plural = "s were" if len(standing.erasures) != 1 else " was"
        yield (
            f"{len(standing.erasures)} document{plural} erased, {early} before {RETENTION_MONTHS} months "
            f"were over, by {_who(standing.erasures)}"
        )


def _who(erasures: Sequence[Erasure]) -> str:
    counts = Counter(each.tombstone.text("actor")[:100] for each in erasures)
    return ", ".join(f"{actor} ({number})" for actor, number in sorted(counts.items()))


def _rest(folder: EvidenceFolder, walk: Walk, standing: Standing, runs: Collection[str]) -> Iterator[Problem]:
    """What is wrong beside the records themselves."""
    if not walk.lines and not walk.problems:
        yield Problem(0, Fault.NO_CHAIN, f"there is no record in {folder.chain}")
    head = Fence(folder.path).read() if folder.path.is_dir() else None
    if head and not walk.broken and head.head_number >= len(walk.lines):
        text = f"the writer wrote up to record {head.head_number}, of which the rest is gone"
        yield Problem(len(walk.lines), Fault.TRUNCATED, text)
    if not walk.broken:
        yield from _lost(folder, walk, standing, runs)
    yield from _payloads(PayloadStore(folder.payloads, folder.id), standing)
    yield from _erasures(standing)
    for line in standing.reviews:
        problem = review_problem(line, standing.runs)
        if problem:
            yield Problem(line.number, Fault.BAD_REVIEW, problem)


def _lost(folder: EvidenceFolder, walk: Walk, standing: Standing, runs: Collection[str]) -> Iterator[Problem]:
    """Runs of the ledger and keys beside the chain that no record knows, nor tells of as lost."""
    brought = [str(line.body.get("fingerprint", "")) for line in walk.lines if line.kind in _KEYS]
    keys = SigningKeys(folder.signing_keys).unknown([*brought, *standing.lost])
    gone = [*sorted(set(runs) - standing.runs.keys() - standing.lost), *keys]
    if gone:
        yield Problem(len(walk.lines), Fault.RECORDS_LOST, said_lost(gone))


def _erasures(standing: Standing) -> Iterator[Problem]:
    for each in standing.erasures:
        if each.origin is None:
            text = f"it erases {each.name}, which no record before it has"
            yield Problem(each.tombstone.number, Fault.BAD_TOMBSTONE, text)
        elif each.hold is not None:
            text = f"it erases {each.name} of record {each.origin.number}, which the hold of record "
            text += f"{each.hold.number} kept"
            yield Problem(each.tombstone.number, Fault.ERASED_UNDER_HOLD, text)


def _payloads(store: PayloadStore, standing: Standing) -> Iterator[Problem]:
    for line, payload in standing.payloads:
        tombstone = standing.tombstones.get(payload.sha256)
        if tombstone is not None:
            if store.exists(payload.sha256):
                text = f"{payload.name} of record {line.number} is still there"
                yield Problem(tombstone.number, Fault.ERASURE_INCOMPLETE, text)
            continue
        found = store.problem(payload)
        if found == "missing":
            text = f"{payload.name} is gone, and no tombstone says why"
            yield Problem(line.number, Fault.PAYLOAD_MISSING, text)
        elif found:
            yield Problem(line.number, Fault.PAYLOAD_ALTERED, f"{payload.name} is not what was stored")
