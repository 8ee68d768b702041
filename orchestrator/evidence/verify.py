"""Judges a chain: its records, its payloads, its reviews, and whether the anchors know another one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import StewardError
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.fence import Fence
from orchestrator.evidence.folder import EvidenceFolder
from orchestrator.evidence.payloads import PayloadStore
from orchestrator.evidence.record import Kind
from orchestrator.evidence.review import review_problem
from orchestrator.evidence.standing import RETENTION_MONTHS, Standing, standing_of
from orchestrator.evidence.verdict import Fault, Problem, Verdict
from orchestrator.evidence.walk import Walk
from orchestrator.ports.evidence import Anchor, Head


@dataclass(frozen=True)
class _Anchored:
    """What the anchors said; `newest` is the number of their newest head that is in the chain."""

    newest: int
    by: tuple[str, ...]
    problems: tuple[Problem, ...]


def verify(
    folder: EvidenceFolder, anchors: Sequence[Anchor], now: datetime, *, trusted: Collection[str] = ()
) -> Verdict:
    """The verdict on one chain. `trusted` are public keys that somebody vouches for, by another way."""
    chain = ChainFile(folder.chain)
    walk = Walk(folder.id, list(chain.raw_lines()), trusted)
    standing = standing_of(walk.lines)
    torn = len(chain.tail().torn) if not walk.broken else 0
    anchored = _by_anchors(folder.id, walk, anchors)
    problems = [*walk.problems, *anchored.problems, *_rest(folder, walk, standing)]
    tail = [line for line in walk.lines[anchored.newest + 1 :] if line.kind != Kind.ANCHOR]
    notes = [f"{torn} bytes after the last record are of a writer that was killed; the next one cuts them"]
    late = standing.past_retention(now, RETENTION_MONTHS)
    old = [f"{len(late)} payloads are older than {RETENTION_MONTHS} months: steward evidence erase --expired"]
    return Verdict(
        chain=folder.id,
        records=len(walk.lines),
        head=walk.lines[-1].sha256 if walk.lines else "",
        first_key=walk.first_key,
        first_key_trusted=bool(trusted) or anchored.newest >= 0,
        problems=tuple(sorted(dict.fromkeys(problems), key=lambda each: each.number)),
        anchors=anchored.by,
        anchored=anchored.newest,
        unanchored=len(tail),
        unanchored_since=tail[0].ended_at() if tail else None,
        notes=(*(notes if torn else ()), *(old if late else ())),
    )


def _rest(folder: EvidenceFolder, walk: Walk, standing: Standing) -> Iterator[Problem]:
    """What is wrong beside the records themselves."""
    if not walk.lines and not walk.problems:
        yield Problem(0, Fault.NO_CHAIN, f"there is no record in {folder.chain}")
    head = Fence(folder.path).read() if folder.path.is_dir() else None
    if head and not walk.broken and head.head_number >= len(walk.lines):
        text = f"the writer wrote up to record {head.head_number}, of which the rest is gone"
        yield Problem(len(walk.lines), Fault.TRUNCATED, text)
    yield from _payloads(PayloadStore(folder.payloads, folder.id), standing)
    for line in standing.reviews:
        problem = review_problem(line, standing.runs)
        if problem:
            yield Problem(line.number, Fault.BAD_REVIEW, problem)


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


def _by_anchors(chain: str, walk: Walk, anchors: Sequence[Anchor]) -> _Anchored:
    """Hold the chain against every head that an anchor kept."""
    newest, by, problems = -1, [], []
    for anchor in anchors:
        try:
            heads = sorted(anchor.heads(chain), key=lambda head: head.number)
        except StewardError as problem:
            problems.append(Problem(0, Fault.ANCHOR_UNREADABLE, f"{anchor.name}: {problem}"))
            continue
        known = [head for head in heads if _is_in(head, walk)]
        problems += _against(anchor.name, heads, known, walk)
        if known:
            newest = max(newest, known[-1].number)
            by.append(anchor.name)
    return _Anchored(newest, tuple(by), tuple(problems))


def _against(name: str, heads: Sequence[Head], known: Sequence[Head], walk: Walk) -> Iterator[Problem]:
    """The first head that the chain does not have: cut off, brought back from an older copy, or a branch."""
    both = {head.number for head in known}
    for head in heads:
        if head in known:
            continue
        length = len(walk.lines)
        after = max((number for number in both if number < head.number), default=-1)
        if head.number in both:
            text = f"{name} knows two records {head.number}: this one and {head.sha256[:16]}"
            yield Problem(head.number, Fault.FORKED, text)
        elif head.number >= length and not walk.broken:
            text = f"{name} knows record {head.number} of {head.at}; the chain ends at record {length - 1}"
            yield Problem(length, Fault.ROLLED_BACK, f"cut off, or an older copy was brought back: {text}")
        elif head.number < length:
            text = f"{name} knows another record {head.number}, of {head.at}: an older copy was written on"
            yield Problem(after + 1, Fault.FORKED, text)
        return


def _is_in(head: Head, walk: Walk) -> bool:
    return 0 <= head.number < len(walk.lines) and walk.lines[head.number].sha256 == head.sha256
