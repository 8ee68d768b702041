"""The message of a failure: one text for the engine and the terminal, and what of it has no own field."""

from __future__ import annotations

from policies.facts import shown
from policies.model import Finding


def failure(name: str, finding: Finding, fix: str) -> str:
    """Subject, place, what is wrong, what was expected and what to do."""
    wrong = f"{shown(name)}: {finding.path}: {finding.problem}"
    return f"{wrong}; expected {finding.expected}. Fix: {fix}"


def problem_in(message: str, *, expected: str, remediation: str) -> str:
    """What a failure's message says beside expectation and fix, which results have fields for."""
    text = message.removesuffix(f" Fix: {remediation}") if remediation else message
    return text.removesuffix(f"; expected {expected}.") if expected else text
