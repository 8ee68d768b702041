"""Every rule judges the cases in the folder of its name as these say."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.cases import KINDS, judge, read_case
from policies.evaluate import evaluate
from policies.model import PackError
from policies.pack import all_rules, rule_by_id
from policies.profiles import load_profiles

CASES = Path(__file__).parent / "cases"
STRANGE_SOURCE = """\
judge: a
subjects: [{type: t, name: a, properties: {}, depends_on: {x: [b]}}]
expect: {state: pass}
"""
FILES = sorted(CASES.glob("*/*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    assert judge(read_case(path), rule_by_id(path.parent.name), load_profiles()) == []


@pytest.mark.parametrize("rule", [rule.id for rule in all_rules()])
@pytest.mark.parametrize("kind", KINDS)
def test_each_rule_has_each_kind_of_case(rule: str, kind: str) -> None:
    case = read_case(CASES / rule / f"{kind}.yaml")
    # The type of a resource is part of its URN: the one thing that is never unknown.
    assert case.expect["state"] == ("pass" if (rule, kind) == ("quality.type-is-known", "unknown") else kind)


def test_each_folder_is_a_rule() -> None:
    assert {path.name for path in CASES.iterdir()} == {rule.id for rule in all_rules()}


def test_a_case_that_expects_something_else_is_told(tmp_path: Path) -> None:
    text = (CASES / "network.ssh-not-public" / "fail.yaml").read_text(encoding="utf-8")
    path = tmp_path / "network.ssh-not-public" / "other.yaml"
    path.parent.mkdir()
    for old, new, told in (
        ("state: fail", "state: pass", "expected pass, was fail: web-1: rules[0].source: SSH (22/tcp)"),
        ("is open to anywhere", "nothing-like-it", "expected to say 'web-1: rules[0].source: SSH"),
        ("state: fail", "state: fail\n  profile: strict", "expected profile 'strict', was 'demo'"),
        ("state: fail", "state: fail\n  count: 2", "expected fail, fail, was fail: web-1"),
        ("path: rules[0].source", "path: rules[1]", "expected path 'rules[1]', was 'rules[0].source'"),
    ):
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        (first, *_) = judge(read_case(path), rule_by_id(path.parent.name), load_profiles())
        assert first.startswith(told), first


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("judge: [", "while parsing"),
        ("[" * 100_000, "recursion"),
        ("judge: a", "missing: subjects, expect"),
        ("{judge: a, subjects: [], expect: {state: fine}}", "no state 'fine'; known: pass, fail"),
        ("{judge: a, subjects: [], expect: {state: pass}}", "no subject named 'a'"),
        ("{judge: a, subjects: {}, expect: {state: pass}}", "expected a list"),
        (
            "{judge: a, subjects: [{type: t, name: a, properties: 1}], expect: {state: pass}}",
            "are a mapping or",
        ),
        ("{judge: a, subjects: [{type: t, name: a}], expect: {state: pass}}", "missing: properties"),
        (
            STRANGE_SOURCE,
            "no subject named 'b'",
        ),
    ],
)
def test_a_case_that_cannot_be_read_is_named(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "fail.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PackError, match=f"^cases/{tmp_path.name}/fail.yaml") as error:
        read_case(path)
    assert told in str(error.value)


def test_a_finding_says_what_where_and_how_to_mend_it() -> None:
    case = read_case(CASES / "network.ssh-not-public" / "fail.yaml")
    (result,) = evaluate(case.subjects, load_profiles(), rules=[rule_by_id("network.ssh-not-public")])

    assert result.message == (
        "web-1: rules[0].source: SSH (22/tcp) is open to anywhere; expected a server group or a range of /16 "
        "(IPv6 /64) or narrower. Fix: Allow SSH from a server group or from the addresses of those who "
        "administer it, or drop the rule."
    )
    assert (result.observed, result.blocks) == ("anywhere", True)
