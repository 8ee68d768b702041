"""Asking one rule about files of playbooks that stand in a test."""

from __future__ import annotations

from policies.evaluate import evaluate
from policies.model import CheckResult, State
from policies.pack import rule_by_id
from policies.profiles import load_profiles
from policies.subjects.playbooks import playbook_subjects

TAGS = {"client": "acme", "environment": "demo", "profile": "demo"}
INCLUDES = "playbooks.includes-are-judged"
FAIL, UNKNOWN, PASS = State.FAIL, State.UNKNOWN, State.PASS


def asked(files: dict[str, str], rule: str = INCLUDES, elsewhere: tuple[str, ...] = ()) -> list[CheckResult]:
    found = playbook_subjects(files, stack="acme-demo", tags=TAGS, elsewhere=elsewhere)
    results = evaluate(found, load_profiles(), rules=[rule_by_id(rule)])
    return [result for result in results if result.state is not State.NOT_APPLICABLE]


def said(files: dict[str, str], rule: str = INCLUDES) -> list[tuple[str, int, State, str]]:
    return [
        (each.subject.facts.text("file"), each.subject.facts.whole("line"), each.state, each.path)
        for each in asked(files, rule)
        if each.state is not PASS
    ]
