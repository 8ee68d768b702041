"""All that a run knows, judged as one population."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.judging.draft import by_draft
from orchestrator.judging.engine import engine_assessment
from orchestrator.judging.live import digest_of, live_sources, of_state
from orchestrator.judging.settling import settled
from orchestrator.judging.sources import Source, Whose, document_source, heard
from orchestrator.policy_reference import Policy
from orchestrator.ports.policies import Known
from policies.assessment import Assessment, joined
from policies.evaluate import assess
from policies.governed import govern, govern_proposal, rules_of_change
from policies.model import Phase, Rule, Subject
from policies.profiles import Profiles
from policies.subjects.fleet import fleet_subjects
from policies.subjects.playbooks import playbook_subjects
from policies.subjects.steps import planned
from policies.weakening import stricter


@dataclass(frozen=True)
class Fixed:
    """What every run of a stack judges beside what it finds: its fleet and the roles of its owners."""

    fleet: Mapping[str, Any]
    fleet_file: str
    own_roles: Mapping[str, str]
    shipped: Collection[str] = ()
    """Paths of the roles and modules of Steward that own roles may use; they are judged where it is built."""
    feed: Mapping[str, Any] | None = None
    """What is known of vulnerable packages; None where nobody has a feed."""


def population(known: Known, fixed: Fixed, whose: Whose) -> tuple[list[Subject], list[Source]]:
    """The planned resources, and everything else by where it comes from; no id is in both."""
    planned_resources, happening = planned(known.steps)
    resources = list(planned_resources)
    state = of_state(known)
    kept = () if resources else tuple(state)  # of a change the engine's pack judges what comes of it
    made = {subject.urn for subject in (*resources, *kept)}
    declared = [each for each in fleet_subjects(fixed.fleet) if each.urn not in made]
    sources = [
        Source("plan", "steps", happening, digest_of([repr(step) for step in known.steps])),
        Source("state", "state", kept, digest_of([repr(step) for step in known.state])),
        Source(fixed.fleet_file, "fleet file", tuple(declared), digest_of(fixed.fleet)),
        Source(
            "roles", "playbooks",
            tuple(
                playbook_subjects(
                    fixed.own_roles, stack=whose.stack, tags=whose.tags, elsewhere=fixed.shipped
                )
            ),
            digest_of(fixed.own_roles),
        ),
    ]  # fmt: skip
    documents = {"costs": known.costs, "vault": known.backups, "changes": known.history}
    sources += [
        document_source(name, document, digest_of(document), whose)
        for name, document in documents.items()
        if document is not None
    ]
    sources += live_sources(known, fixed.fleet, fixed.feed, state, whose)
    return resources, [source for source in sources if source.subjects]


def with_play(roles: Mapping[str, str]) -> dict[str, str]:
    """The files of own roles with the play that applies them: what a task inherits is known from it."""
    names = sorted({name.split("/")[1] for name in roles if name.count("/") >= 2})
    if not names:
        return dict(roles)
    play = {"name": "Apply own roles", "hosts": "all", "become": True, "roles": names}
    return {**roles, "services.yml": json.dumps([play])}


def shipped_parts(playbooks: Path) -> frozenset[str]:
    """The roles and modules of a folder of playbooks, by their paths in it."""
    found = (*playbooks.glob("roles/*/"), *playbooks.glob("library/*.py"))
    return frozenset(path.relative_to(playbooks).as_posix() for path in found)


@dataclass(frozen=True)
class Judged:
    """All that a run knows, judged; and what of it the engine's pack did not say."""

    assessment: Assessment
    beyond: frozenset[tuple[str, str]] = frozenset()
    """Pairs (rule, subject) of resources of which a draft of the policy says worse than what holds."""


def judged(
    known: Known, resources: Sequence[Subject], sources: Sequence[Source], policy: Policy, phase: Phase
) -> Judged:
    """The engine's word on resources and ours on the rest, with the exceptions of the policy applied.

    Where a change brings a draft of the policy along, that judges everything, too: the stricter counts.
    """
    pack = policy.holding.pack
    others = [subject for source in sources for subject in source.subjects]
    theirs = engine_assessment(known.engine, resources, pack.rules, pack.profiles)
    live, asked = phase is Phase.LIVE, heard(sources)

    def with_ours(theirs: Assessment, rules: Sequence[Rule], profiles: Profiles) -> Assessment:
        ours = assess(others, profiles, rules=rules, phase=phase, settled=live, only=asked)
        both = joined(theirs, ours)
        return settled(both, known.deferred) if live else both

    both = with_ours(theirs, pack.rules, pack.profiles)
    held = govern(both, policy.holding, policy.seen, phase=phase)
    draft = policy.proposed
    if draft is None:
        return Judged(held)
    rules = rules_of_change(policy.holding, draft)
    after = with_ours(by_draft(theirs, policy.holding, draft, rules), rules, draft.pack.profiles)
    found = stricter(
        held,
        govern_proposal(after, policy.holding, draft, policy.seen, policy.proposed_waivers, phase=phase),
    )
    return Judged(found, _worse(found, held, {each.urn for each in resources}))


def _worse(found: Assessment, before: Assessment, of: Collection[str]) -> frozenset[tuple[str, str]]:
    """Pairs of these subjects that have a result which they did not have before."""
    said = {(each.rule, each.subject.urn, each.state, each.enforcement) for each in before.results}
    return frozenset(
        (each.rule, each.subject.urn)
        for each in found.results
        if each.subject.urn in of and (each.rule, each.subject.urn, each.state, each.enforcement) not in said
    )
