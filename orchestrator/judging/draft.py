"""What a draft of the policy says of planned resources, of which the engine asked the policy that holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from policies.assessment import LETTERS, WORST, Assessment
from policies.evaluate import assess
from policies.model import CheckResult, Enforcement, OnUnknown, Phase, Rule, State
from policies.profiles import Profile
from policies.reference import Reference

_WHEN: Final = (Phase.PREVIEW, Phase.UP)
"""The engine's pack is not told which of the two it serves, so the stricter acts: here as well."""


def by_draft(theirs: Assessment, holding: Reference, draft: Reference, rules: Sequence[Rule]) -> Assessment:
    """The resources of `theirs`, which the engine's pack judged, by a draft's rules, profiles and exceptions.

    Where both ask a rule with the same parameters, the engine's word counts at the draft's enforcement: it
    knows more of a resource than a run does. Elsewhere the rule is asked anew.
    """
    before, after = (each.pack.profiles.at(*_WHEN) for each in (holding, draft))
    anew = assess(theirs.subjects, after, rules=rules)
    told, asked = theirs.by_pair(), anew.by_pair()
    matrix: dict[str, str] = {}
    results: list[CheckResult] = []
    for rule in rules:
        row = []
        for place, subject in enumerate(theirs.subjects):
            profile, pair = after.choose(subject), (rule.id, subject.urn)
            if rule.id in theirs.matrix and _alike(rule, before.choose(subject), profile):
                said = [_at(each, rule, profile, holding, draft) for each in told.get(pair, ())]
                letter = theirs.matrix[rule.id][place]
                row.append(LETTERS[min((each.state for each in said), key=WORST.index)] if said else letter)
            else:
                said = asked.get(pair, [])
                row.append(anew.matrix[rule.id][place])
            results += said
        matrix[rule.id] = "".join(row)
    return replace(anew, matrix=matrix, results=tuple(results))


def _alike(rule: Rule, before: Profile, after: Profile) -> bool:
    """The code is the same: what a draft brings as code runs nowhere yet."""
    return before.params(rule).raw() == after.params(rule).raw()


def _at(said: CheckResult, rule: Rule, profile: Profile, holding: Reference, draft: Reference) -> CheckResult:
    """A result as the draft's profile and exceptions have it."""
    if said.state in (State.WAIVED, State.BASELINED) and not _still_excused(said, holding, draft):
        said = said._replace(state=State.FAIL)
    usual = profile.enforcement(rule.id)
    if said.state is State.FAIL:
        level = usual
    elif said.state is State.UNKNOWN:
        level = _when_unknown(said, rule, usual)
    else:
        level = said.enforcement
    return said._replace(enforcement=level, profile=profile.name)


def _still_excused(said: CheckResult, holding: Reference, draft: Reference) -> bool:
    """Whether the draft keeps what excuses it; what it adds excuses nothing by the policy that holds."""
    if said.state is State.BASELINED:
        kept = ((entry.rule, entry.subject) for entry in draft.baseline.entries)
        return (said.rule, said.subject.urn) in kept
    kept_waivers = (waiver for waiver in draft.waivers if waiver in holding.waivers)
    return any(each.rule == said.rule and each.matches(said.subject.urn) for each in kept_waivers)


def _when_unknown(said: CheckResult, rule: Rule, usual: Enforcement) -> Enforcement:
    if usual is Enforcement.ADVISORY or rule.on_unknown is OnUnknown.WARN:
        return Enforcement.ADVISORY
    waits = said.enforcement is Enforcement.DEFERRED or rule.on_unknown is OnUnknown.DEFER
    return Enforcement.DEFERRED if waits else usual
