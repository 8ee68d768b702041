"""What the pack knows about itself, for the command line and the documentation; free of any engine."""

from __future__ import annotations

import difflib
from typing import Final

from policies.model import PackError, Rule
from policies.profiles import Profile, load_profiles
from policies.rules import all_rules

__all__ = ["ADVICE", "all_profiles", "all_rules", "rule_by_id", "rule_of_policy"]

ADVICE: Final = ".advice"
"""Ending of the policy that carries a rule's advisory findings: the engine knows one enforcement a policy."""


def all_profiles() -> tuple[Profile, ...]:
    """The profiles, mildest first."""
    return load_profiles().ordered


def rule_by_id(rule_id: str) -> Rule:
    """The rule; raises PackError that names the nearest ids."""
    rules = {rule.id: rule for rule in all_rules()}
    if rule_id not in rules:
        near = difflib.get_close_matches(rule_id, rules, n=3, cutoff=0.5) or sorted(rules)
        raise PackError(f"no rule named {rule_id!r}; known: {', '.join(near)}")
    return rules[rule_id]


def rule_of_policy(policy_name: str) -> str:
    """The rule id behind the policy name of an engine event."""
    return policy_name.removesuffix(ADVICE)
