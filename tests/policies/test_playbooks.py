"""Our own playbooks have no finding, and a playbook of seeded faults has exactly those that were seeded."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.evaluate import evaluate
from policies.model import CheckResult, Kind, State
from policies.pack import all_rules
from policies.profiles import load_profiles
from policies.rules import playbooks
from policies.subjects.playbooks import playbook_subjects, read_folder

ROOT = Path(__file__).parents[2]
SEEDED = Path(__file__).parent / "playbooks"
ROLE = "roles/bad/tasks/main.yml"
EXPECTED = {
    ("ansible.cfg", 1, "host-keys-checked"),
    ("site.yml", 2, "no-plain-secrets"),
    ("site.yml", 9, "no-root-on-control-machine"),
    ("site.yml", 14, "includes-are-judged"),
    ("site.yml", 20, "packages-chosen"),
    ("site.yml", 20, "tasks-have-names"),
    ("site.yml", 24, "protections-stay-on"),
    ("site.yml", 29, "errors-not-ignored"),
    (ROLE, 1, "module-where-there-is-one"),
    (ROLE, 5, "pipes-fail"),
    (ROLE, 9, "commands-say-what-changes"),
    (ROLE, 12, "shell-variables-quoted"),
    (ROLE, 17, "root-by-become-only"),
    (ROLE, 21, "no-code-from-the-network"),
    (ROLE, 21, "pipes-fail"),
    (ROLE, 27, "no-commands-on-control-machine"),
    (ROLE, 33, "no-pipe-lookup"),
    (ROLE, 33, "conditions-are-plain"),
    (ROLE, 38, "secrets-not-logged"),
    (ROLE, 43, "downloads-over-tls"),
    (ROLE, 50, "downloads-have-digests"),
    (ROLE, 50, "no-set-id"),
    (ROLE, 56, "repositories-signed"),
    (ROLE, 60, "git-at-a-version"),
    (ROLE, 66, "modes-are-said"),
    (ROLE, 71, "not-world-writable"),
    (ROLE, 77, "cron-runs-safe-files"),
    (ROLE, 83, "no-passwordless-sudo"),
    (ROLE, 83, "sudoers-checked"),
    (ROLE, 88, "sshd-not-weakened"),
}


def judged(folder: Path, profile: str) -> list[CheckResult]:
    tags = {"client": "acme", "environment": "demo", "profile": profile}
    rules = [rule for rule in all_rules() if rule.kind is Kind.PLAYBOOK_TASK]
    found = playbook_subjects(read_folder(folder), stack="acme-demo", tags=tags)
    return evaluate(found, load_profiles(), rules=rules)


def places(results: list[CheckResult]) -> Iterator[tuple[str, int, str]]:
    for result in results:
        facts = result.subject.facts
        yield facts.text("file"), facts.whole("line"), result.rule.partition(".")[2]


@pytest.mark.parametrize("profile", ["demo", "standard", "strict"])
def test_our_own_playbooks_have_no_finding(profile: str) -> None:
    results = judged(ROOT / "playbooks", profile)
    bad = [result.message for result in results if result.blocks or result.state in (State.FAIL, State.ERROR)]
    assert bad == []
    assert sum(result.state is State.PASS for result in results) > 1000


@pytest.mark.parametrize("profile", ["standard", "strict"])
def test_each_seeded_fault_is_found_by_its_rule_at_its_line_and_nothing_else(profile: str) -> None:
    found = [result for result in judged(SEEDED, profile) if result.state in (State.FAIL, State.ERROR)]
    assert sorted(places(found)) == sorted(EXPECTED)
    assert all(result.blocks for result in found)


def test_every_rule_of_the_room_has_a_seeded_fault() -> None:
    ids = {rule.id.partition(".")[2] for rule in all_rules() if rule.kind is Kind.PLAYBOOK_TASK}
    assert {rule for _, _, rule in EXPECTED} == ids


def test_a_secret_is_never_told() -> None:
    rows = str([result.as_row() for result in judged(SEEDED, "strict")])
    assert "19 characters" in rows
    assert "swordfish" not in rows


def test_every_function_of_the_themes_is_a_rule_of_the_room() -> None:
    """The room takes its rules from modules of its own, so that one left out there would judge nothing."""
    found = set()
    for path in (ROOT / "policies" / "rules").glob("_task_*.py"):
        if path.stem != "_task_facts":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            found |= {node.name for node in body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"}
    assert found == set(playbooks.__all__)
