"""What somebody outside of this machine vouches for: keys of chains, and whose reviews count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from orchestrator.evidence.record import Line
from orchestrator.evidence.sshsig import EVIDENCE, REVIEW, known_signer
from orchestrator.evidence.verdict import Fault, Problem, Reviewer

_NAMESPACES: Final = re.compile(r'namespaces="([^"]*)"', re.IGNORECASE)


@dataclass(frozen=True)
class Trusted:
    """The lines of an allowed_signers file, by what they count for.

    A line counts for reviews where its namespaces name `steward-review@v1`, and for chains where it has no
    namespaces, or they name `steward-evidence@v1`: a reviewer's key vouches for no chain.
    """

    keys: tuple[str, ...] = ()
    """Ed25519 keys that a chain may begin with."""
    reviewers: str = ""
    """Lines of those whose reviews count, as text; '' where nobody said whose do."""


NOBODY: Final = Trusted()


def trusted_in(text: str) -> Trusted:
    """What the text of an allowed_signers file says."""
    keys, reviewers = list[str](), list[str]()
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        found = _NAMESPACES.search(line)
        if found and _names(found[1], REVIEW):
            reviewers.append(line)
        if found is None or _names(found[1], EVIDENCE):
            keys += [f"ssh-ed25519 {blob}" for kind, blob in pairwise(line.split()) if kind == "ssh-ed25519"]
    return Trusted(tuple(keys), "".join(f"{line}\n" for line in reviewers))


def reviewers_of(
    reviews: Sequence[Line], trusted: Trusted
) -> tuple[tuple[Reviewer, ...], tuple[Problem, ...]]:
    """Everybody who reviewed, with the key that signed, by name; and a problem a review by a stranger."""
    held = [_held(line, trusted.reviewers) for line in reviews]
    who = [(_told(line, "reviewer"), _told(line, "key")) for line in reviews]
    counts = Counter(zip(who, held, strict=True))
    strangers = [
        Problem(
            line.number, Fault.UNTRUSTED_REVIEWER, f"{name} with {key} is not among the trusted reviewers"
        )
        for line, (name, key), good in zip(reviews, who, held, strict=True)
        if good is False
    ]
    made = [Reviewer(name, key, number, good) for ((name, key), good), number in counts.items()]
    return tuple(sorted(made, key=lambda each: (each.name, each.key, str(each.trusted)))), tuple(strangers)


def _held(line: Line, allowed: str) -> bool | None:
    if not allowed:
        return None
    name, signature = _told(line, "reviewer"), str(line.body.get("signature", ""))
    statement = str(line.body.get("statement", "")).encode()
    return known_signer(allowed, name, REVIEW, statement, signature, at=line.ended_at())


def _told(line: Line, name: str) -> str:
    return str(line.body.get(name, ""))[:100]


def _names(names: str, namespace: str) -> bool:
    return namespace in (each.strip() for each in names.lower().split(","))
