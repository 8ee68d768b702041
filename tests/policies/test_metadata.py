"""Catalog, functions, profiles, controls and the reference page agree with each other, both ways."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from policies.catalog import ROOMS, load_catalog
from policies.controls import load_frameworks, unknown_controls
from policies.facts import Facts
from policies.model import Enforcement, Kind, PackError, Subject
from policies.pack import all_profiles, all_rules, rule_by_id, rule_of_policy
from policies.profiles import load_profiles
from policies.reference import render
from policies.rules import join

ROOT = Path(__file__).parents[2]
ROOM_MODULES = {room: importlib.import_module(f"policies.rules.{room}") for room in ROOMS}


def tagged(stack: str, **tags: str) -> Subject:
    urn = f"urn:pulumi:{stack}::steward::local:index:Network::n"
    return Subject(Kind.RESOURCE, "network", "n", urn, stack, Facts({"tags": tags}))


def test_entry_without_function_and_function_without_entry_are_named() -> None:
    entries = {rule.id: rule for rule in load_catalog()}
    private_range = entries.pop("network.private-range")
    entries["network.new"] = replace(private_range, id="network.new")
    modules = {rule.partition(".")[0]: ROOM_MODULES[rule.partition(".")[0]] for rule in entries}
    with pytest.raises(PackError) as error:
        join(tuple(entries.values()), modules)
    assert "network.new: in the catalog, but network.py has no function new" in str(error.value)
    assert "network.private_range: a function, but not in the catalog" in str(error.value)


def test_every_control_exists_and_every_framework_is_used() -> None:
    assert unknown_controls(all_rules()) == []
    used = {
        (framework, control)
        for rule in all_rules()
        for framework, ids in rule.controls.items()
        for control in ids
    }
    known = {
        (framework.id, control) for framework in load_frameworks().values() for control in framework.controls
    }
    assert sorted(known - used) == []


def test_reference_page_is_the_catalog() -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert page == render(), "run: python -m policies.reference > docs/policies.md"


def test_profiles_are_ordered_from_mild_to_strict() -> None:
    demo, standard, strict = all_profiles()
    assert (demo.name, standard.name, strict.name) == ("demo", "standard", "strict")
    for rule in all_rules():
        for name in rule.params:
            values = [profile.params(rule).get(name) for profile in (demo, standard, strict)]
            if name.startswith(("min_", "widest_")):
                assert values == sorted(values), f"{rule.id}.{name}"  # type: ignore[type-var]
            if name.startswith("max_"):
                assert values == sorted(values, reverse=True), f"{rule.id}.{name}"  # type: ignore[type-var]
        assert strict.enforcement(rule.id) is Enforcement.MANDATORY


@pytest.mark.parametrize(
    ("stack", "tags", "profile"),
    [
        ("acme-demo", {"client": "acme", "environment": "demo", "profile": "demo"}, "demo"),
        ("acme-demo", {"client": "acme", "environment": "demo", "profile": "strict"}, "strict"),
        ("acme-production", {"client": "acme", "environment": "production", "profile": "demo"}, "standard"),
        ("e2e-anything", {"client": "e2e", "environment": "anything", "profile": "demo"}, "demo"),
        ("acme-production", {"client": "acme", "environment": "demo", "profile": "demo"}, "strict"),
        ("acme-demo", {"client": "acme", "environment": "demo", "profile": "lax"}, "strict"),
        ("acme-demo", {"client": "acme", "environment": "demo"}, "strict"),
        ("acme-demo", {}, "strict"),
    ],
)
def test_the_judged_cannot_choose_a_milder_judge(stack: str, tags: dict[str, str], profile: str) -> None:
    assert load_profiles().choose(tagged(stack, **tags)).name == profile


@pytest.mark.parametrize(
    ("file", "old", "new", "mistake"),
    [
        ("demo.yaml", "max_rpo_seconds: 172800", "max_rpo_second: 1", "not understood ['max_rpo_second']"),
        ("demo.yaml", "max_rpo_seconds: 172800", "max_rpo_seconds: 1", "1 is outside 60 to None"),
        ("demo.yaml", "service-has-owner: advisory", "service-has-owner: maybe", "expected mandatory"),
        ("strict.yaml", "network.private-range:", "network.privat-range:", "not understood"),
        ("minimum.yaml", "default: standard", "default: lax", "no profile named 'lax'"),
    ],
)
def test_a_typing_mistake_in_a_profile_is_refused_by_name(
    file: str, old: str, new: str, mistake: str, tmp_path: Path
) -> None:
    for path in (ROOT / "policies" / "profiles").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            text.replace(old, new) if path.name == file else text, encoding="utf-8"
        )
    with pytest.raises(PackError, match="profiles/") as error:
        load_profiles(tmp_path)
    assert mistake in str(error.value)


def test_an_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(PackError, match=r"no rule named 'network.ssh'; known: network.ssh-not-public"):
        rule_by_id("network.ssh")


def test_policy_names_lead_back_to_rules() -> None:
    assert rule_of_policy("network.ssh-not-public.advice") == "network.ssh-not-public"
    assert rule_of_policy("network.ssh-not-public") == "network.ssh-not-public"


def test_rules_load_without_the_engine() -> None:
    code = "import sys, policies.pack as p; p.all_rules(); print([m for m in sys.modules if 'pulumi' in m])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip() == "[]"
