"""What the pack knows about itself, for the command line and the documentation; free of any engine."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from policies.catalog import refuse_twice
from policies.facts import shown
from policies.model import PackError, Rule
from policies.own import Running, load_own
from policies.profiles import FOLDER, Profile, Profiles, load_profiles, read_profiles
from policies.rules import all_rules

__all__ = ["Pack", "all_profiles", "all_rules", "load_pack", "rule_by_id"]


@dataclass(frozen=True)
class Pack:
    """Our rules and a user's own, and the profiles that say what each of them does."""

    rules: tuple[Rule, ...]
    own: frozenset[str]
    """Ids of the user's own rules."""
    profiles: Profiles


def load_pack(own_rules: Path | None, reference: Path | None = None, *, run_rules: bool = True) -> Pack:
    """Everything that judges: ours, the policy reference's, and the fleets' own, which may only add and so
    run in processes of their own.

    Without `run_rules` the rules of the reference have no functions. Raises PackError.
    """
    added = load_own(own_rules)
    if reference is None:
        rules = (*all_rules(), *added.rules)
        own = frozenset(rule.id for rule in added.rules)
        return Pack(rules, own, load_profiles().where_unsaid(added.enforcement))
    theirs = load_own(reference / "rules", Running.HERE if run_rules else Running.NOT)
    rules = (*all_rules(), *theirs.rules, *added.rules)
    refuse_twice(rules, "rules")
    profiles = read_profiles(
        FOLDER, rules, others=reference / "profiles", minimum=reference / "minimum.yaml"
    ).where_unsaid({**added.enforcement, **theirs.enforcement})
    return Pack(rules, frozenset(rule.id for rule in (*theirs.rules, *added.rules)), profiles)


def all_profiles() -> tuple[Profile, ...]:
    """The profiles, mildest first."""
    return load_profiles().ordered


def rule_by_id(rule_id: str, among: Sequence[Rule] | None = None) -> Rule:
    """The rule; raises PackError that names the nearest ids."""
    rules = {rule.id: rule for rule in (all_rules() if among is None else among)}
    if rule_id not in rules:
        near = difflib.get_close_matches(rule_id, rules, n=3, cutoff=0.5) or sorted(rules)
        raise PackError(f"no rule named {shown(rule_id)!r}; known: {', '.join(near)}")
    return rules[rule_id]
