"""Every rule judges the cases in the folder of its name as these say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.evaluate import evaluate
from policies.pack import all_rules, rule_by_id
from policies.profiles import load_profiles

CASES = Path(__file__).parent / "cases"
FILES = sorted(CASES.glob("*/*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path, load_case: Callable[[Path], Any]) -> None:
    case, subjects = load_case(path)
    results = evaluate(subjects, load_profiles(), rules=[rule_by_id(path.parent.name)])
    found = [result for result in results if result.subject.urn.endswith(f"::{case['judge']}")]
    expect = case["expect"]
    first = found[0]

    assert first.state == expect["state"], first.message
    assert [result.state for result in found[1:]] == (
        [expect["also"]] if "also" in expect else [first.state] * (expect.get("count", 1) - 1)
    )
    assert first.path == expect.get("path", "")
    assert expect.get("says", "") in first.message
    assert first.profile == expect.get("profile", first.profile)
    assert first.enforcement == expect.get("enforcement", first.enforcement)


@pytest.mark.parametrize("rule", [rule.id for rule in all_rules()])
@pytest.mark.parametrize("kind", ["pass", "fail", "unknown"])
def test_each_rule_has_each_kind_of_case(rule: str, kind: str, load_case: Callable[[Path], Any]) -> None:
    case, _ = load_case(CASES / rule / f"{kind}.yaml")
    # The type of a resource is part of its URN: the one thing that is never unknown.
    assert case["expect"]["state"] == (
        "pass" if (rule, kind) == ("quality.type-is-known", "unknown") else kind
    )


def test_each_folder_is_a_rule() -> None:
    assert {path.name for path in CASES.iterdir()} == {rule.id for rule in all_rules()}


def test_a_finding_says_what_where_and_how_to_mend_it(load_case: Callable[[Path], Any]) -> None:
    _, subjects = load_case(CASES / "network.ssh-not-public" / "fail.yaml")
    (result,) = evaluate(subjects, load_profiles(), rules=[rule_by_id("network.ssh-not-public")])

    assert result.message == (
        "web-1: rules[0].source: SSH (22/tcp) is open to anywhere; expected a server group or a range of /16 "
        "(IPv6 /64) or narrower. Fix: Allow SSH from a server group or from the addresses of those who "
        "administer it, or drop the rule."
    )
    assert (result.observed, result.blocks) == ("anywhere", True)
