"""Whether fleet file, state, provider and vault speak of the same things, each known to all that list it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.facts import Facts, shown
from policies.model import Finding, NotApplicable, Outcome, Subject

_REPOSITORY: Final = "repository"
_NOT_LISTED: Final = "one of the two sources does not list such things"
_WORDS: Final = {
    "seenByFleet": "in the fleet file",
    "seenByState": "in the state",
    "seenByProvider": "at the provider",
    "seenByVault": "in the vault",
}


def state_is_declared(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What is in the state is in the fleet file."""
    problem = "is in the state and not in the fleet file"
    yield from _also(subject, "seenByState", "seenByFleet", problem, "in the fleet file, or destroyed")


def fleet_is_made(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What is in the fleet file is in the state."""
    problem = "is in the fleet file and was never made"
    yield from _also(subject, "seenByFleet", "seenByState", problem, "in the state")


def nothing_is_orphaned(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What is at the provider is in the state: what is not there is paid for and patched by nobody."""
    problem = "is at the provider and in no state"
    yield from _also(subject, "seenByProvider", "seenByState", problem, "in the state, or removed")


def state_exists(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What is in the state is at the provider."""
    problem = "is in the state and gone from the provider"
    yield from _also(subject, "seenByState", "seenByProvider", problem, "at the provider")


def repository_has_plan(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """What lies in the vault is of a server that the fleet file still backs up."""
    if _is_repository(subject):
        problem = "lies in the vault, and no plan writes to it any more"
        yield from _also(
            subject, "seenByVault", "seenByFleet", problem, "a plan, or an agreed end of retention"
        )
    else:
        yield NotApplicable("is no repository")


def plan_has_repository(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A server with a plan has a repository in the vault."""
    if _is_repository(subject):
        problem = "has a plan and no repository in the vault"
        yield from _also(subject, "seenByFleet", "seenByVault", problem, "a repository in the vault")
    else:
        yield NotApplicable("is no repository")


def identity_agrees(subject: Subject, _params: Facts) -> Iterator[Outcome]:
    """A name means one thing: what provider and vault hold under it is what the state knows."""
    found: dict[str, set[str]] = {}
    for row in subject.facts.rows("identities"):
        found.setdefault(row.text("source"), set()).add(row.text("identity"))
    known = found.pop("state", set())
    if not known or not found:
        for seen in _WORDS:
            subject.facts.get(seen)  # a source that nobody looked at might have told another one
        yield NotApplicable("fewer than two sources tell an identity")
        return
    for source, identities in sorted(found.items()):
        # A vault keeps the repositories of a server's forerunners; a provider has no reason to have two.
        forerunners = source == "vault" and identities & known
        if (strange := identities - known) and not forerunners:
            told = ", ".join(shown(each) for each in sorted(strange)[:3])
            problem = f"the {source} has another of this name"
            yield Finding("identities", problem, told, f"only {', '.join(sorted(known))}", witness=source)


def _is_repository(subject: Subject) -> bool:
    return subject.facts.text("memberType") == _REPOSITORY


def _also(subject: Subject, where: str, also: str, problem: str, expected: str) -> Iterator[Outcome]:
    """A finding for what one source saw and the other, which lists such things, did not."""
    facts = subject.facts
    if not (facts.has(where) and facts.has(also)):
        yield NotApplicable(_NOT_LISTED)
        return
    if not facts.flag(where):
        yield NotApplicable(f"not {_WORDS[where]}")
    elif not facts.flag(also):
        yield Finding(also, problem, f"not {_WORDS[also]}", expected)
