"""Holds a chain against what its anchors kept, and the anchors against what the chain says they took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from orchestrator.errors import StewardError
from orchestrator.evidence.standing import witness
from orchestrator.evidence.verdict import Fault, Problem
from orchestrator.evidence.walk import Walk
from orchestrator.ports.evidence import Anchor, Head, Kept

Took = Mapping[str, AbstractSet[int]]
"""Numbers of the records whose heads each anchor took, by the chain's own word."""


@dataclass(frozen=True)
class Witnessed:
    """What the anchors said; `newest` is the number of the newest head in the chain that one vouches for."""

    newest: int
    by: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def witnessed(chain: str, walk: Walk, took: Took, anchors: Sequence[Anchor]) -> Witnessed:
    """Ask every anchor for its heads, and hold the chain against them."""
    newest, by, problems, notes = -1, list[str](), list[Problem](), list[str]()
    known: dict[str, set[int] | None] = {}
    for anchor in anchors:
        name = witness(anchor.name)
        try:
            kept = anchor.kept(chain)
        except StewardError as problem:
            problems.append(Problem(0, Fault.ANCHOR_UNREADABLE, f"{anchor.name}: {problem}"))
            known[name] = None  # nobody knows what it has
            continue
        heads = _all_of(kept)
        problems += _against(anchor.name, heads, walk)
        notes += _said(anchor.name, kept)
        earlier = known.get(name, set())
        known[name] = None if earlier is None else earlier | ({each.number for each in heads} - _gone(kept))
        vouched = [head.number for head in kept.heads if _is_in(head, walk)]
        if vouched:
            newest = max(newest, *vouched)
            by.append(f"{anchor.name} at {kept.place}" if kept.place else anchor.name)
    problems += _missed(took, known)
    notes += _not_asked(took, known)
    return Witnessed(newest, tuple(by), tuple(problems), tuple(notes))


def _all_of(kept: Kept) -> list[Head]:
    found = dict.fromkeys([*kept.heads, *kept.seen, *kept.lost])
    return sorted(found, key=lambda head: head.number)


def _gone(kept: Kept) -> set[int]:
    return {each.number for each in kept.lost}


def _against(name: str, heads: Sequence[Head], walk: Walk) -> Iterator[Problem]:
    """The first head that the chain does not have: cut off, brought back from an older copy, or a branch."""
    both = {head.number for head in heads if _is_in(head, walk)}
    for head in heads:
        if _is_in(head, walk):
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


def _missed(took: Took, known: Mapping[str, AbstractSet[int] | None]) -> Iterator[Problem]:
    """Anchors that answered, and have less than they took."""
    for name, numbers in took.items():
        there = known.get(name)
        gone = sorted(numbers - there) if there is not None else []
        if gone:
            more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
            text = f"{name} took the head of record {gone[0]}, by this chain's word, and has it no more{more}"
            yield Problem(gone[0], Fault.HEADS_LOST, text)


def _not_asked(took: Took, known: Mapping[str, object]) -> Iterator[str]:
    for name, numbers in took.items():
        if name not in known:
            yield f"this chain says that {name[:200]} took record {max(numbers)}, and it was not asked"


def _said(name: str, kept: Kept) -> Iterator[str]:
    """What a person should know of how an anchor was asked."""
    numbers = [head.number for head in kept.seen]
    if kept.note:
        upto = f"up to record {max(numbers)}" if numbers else "without a head"
        yield f"{name}, as this machine last saw it, {upto}: it vouches for nothing, for {kept.note}"
    elif numbers:
        yield f"record {max(numbers)} lies in {name} on this machine alone, and is not at {kept.place} yet"


def _is_in(head: Head, walk: Walk) -> bool:
    return 0 <= head.number < len(walk.lines) and walk.lines[head.number].sha256 == head.sha256
