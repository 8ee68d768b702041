"""Catalog, functions, profiles, controls and the reference page agree with each other, both ways."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from policies import yamlfile
from policies.catalog import ROOMS, load_catalog
from policies.catalog_page import render
from policies.controls import load_frameworks, unknown_controls
from policies.evaluate import evaluate
from policies.facts import Facts
from policies.model import Enforcement, Kind, PackError, Phase, State, Subject
from policies.pack import all_profiles, all_rules, rule_by_id
from policies.profiles import load_profiles, read_profile, read_profiles
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
    assert page == render(), "run: python -m policies.catalog_page > docs/policies.md"


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
        # acme-prod-eu is eu of acme-prod, and of nobody else.
        ("acme-prod-eu", {"client": "acme", "environment": "prod-eu", "profile": "demo"}, "strict"),
        ("acme-prod-eu", {"client": "acme-prod", "environment": "eu", "profile": "demo"}, "standard"),
        ("Acme-demo", {"client": "Acme", "environment": "demo", "profile": "demo"}, "strict"),
        ("acme-Demo", {"client": "acme", "environment": "Demo", "profile": "demo"}, "strict"),
        ("acme-demo\n", {"client": "acme", "environment": "demo\n", "profile": "demo"}, "strict"),
        ("", {"client": "acme", "environment": "demo", "profile": "demo"}, "strict"),
        ("-", {"client": "", "environment": "", "profile": "demo"}, "strict"),
    ],
)
def test_the_judged_cannot_choose_a_milder_judge(stack: str, tags: dict[str, str], profile: str) -> None:
    assert load_profiles().choose(tagged(stack, **tags)).name == profile


@pytest.mark.parametrize(
    ("file", "old", "new", "mistake"),
    [
        ("demo.yaml", "max_rpo_seconds: 172800", "max_rpo_second: 1", "no parameter named 'max_rpo_second'"),
        ("demo.yaml", "max_rpo_seconds: 172800", "max_rpo_seconds: 1", "1 is outside 60 to None"),
        ("demo.yaml", "service-has-owner: advisory", "service-has-owner: maybe", "expected mandatory"),
        (
            "strict.yaml",
            "network.private-range:",
            "network.privat-range:",
            "no rule named 'network.privat-range'",
        ),
        ("minimum.yaml", "default: standard", "default: lax", "no profile named 'lax'"),
        (
            "minimum.yaml",
            "  acme: {demo",
            "  Acme: {demo",
            "minimum.yaml.clients: no client can be named Acme",
        ),
        (
            "minimum.yaml",
            "{demo: demo",
            "{prod-eu: demo",
            "clients.acme: no environment can be named prod-eu",
        ),
        ("minimum.yaml", "default: standard", "default: [a]", "no profile named"),
        ("demo.yaml", "max_rpo_seconds: 172800", "max_rpo_seconds: .inf", "expected a finite number"),
        ("demo.yaml", "max_rpo_seconds: 172800", "max_rpo_seconds: long", "expected integer, got 'long'"),
        ("demo.yaml", "    destroy:", "    later:", "'later'"),
        (
            "demo.yaml",
            "change.network-stays: advisory",
            "a.b: advisory",
            "'a.b'",
        ),
        ("demo.yaml", "name: demo", "name: demo\nphase_params: {live: {a.b: {}}}", "no rule named 'a.b'"),
        ("demo.yaml", "name: demo", "name: demo\nname: demo", "the key 'name' stands twice"),
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
    with pytest.raises(PackError, match=f"^(profiles/)?{file}") as error:
        load_profiles(tmp_path)
    assert mistake in str(error.value)


PHASED = """\
name: demo
description: d
enforcement:
  default: mandatory
  rules: {network.private-range: disabled}
  phases:
    live: {rules: {network.private-range: advisory, network.ssh-not-public: advisory}}
    up: {rules: {network.private-range: mandatory}}
params: {network.private-range: {widest_prefix_ipv4: 20}}
phase_params: {live: {network.private-range: {widest_prefix_ipv6: 100}}}
"""


def test_a_profile_may_be_milder_at_one_phase_than_at_another(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(PHASED)
    rules = {rule.id: rule for rule in all_rules()}
    profile = read_profile(tmp_path / "demo.yaml", rules)
    ranges, ssh = "network.private-range", "network.ssh-not-public"
    assert [profile.enforcement(ranges, each) for each in (None, Phase.PREVIEW, Phase.LIVE, Phase.UP)] == [
        Enforcement.DISABLED, Enforcement.DISABLED, Enforcement.ADVISORY, Enforcement.MANDATORY,
    ]  # fmt: skip
    live, both = profile.at(Phase.LIVE), profile.at(Phase.PREVIEW, Phase.UP)
    assert (live.enforcement(ranges), live.enforcement(ssh)) == (Enforcement.ADVISORY, Enforcement.ADVISORY)
    assert both.enforcement(ranges) is Enforcement.MANDATORY, "the stricter of both"
    assert live.params(rules[ranges]).wholes("x") == ()
    assert [live.params(rules[ranges]).whole(f"widest_prefix_ipv{n}") for n in (4, 6)] == [20, 100]
    assert profile.params(rules[ranges]).whole("widest_prefix_ipv6") == 56


def test_a_phase_decides_what_a_failure_does(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(PHASED)
    profile = read_profile(tmp_path / "demo.yaml", {rule.id: rule for rule in all_rules()})
    profiles = replace(load_profiles(), ordered=(profile,))
    subject = replace(tagged("acme-demo"), facts=Facts({"cidr": "8.8.8.0/24"}))
    rule = rule_by_id("network.private-range")
    for phase, state, enforcement in (
        (None, State.NOT_RUN, Enforcement.DISABLED),
        (Phase.LIVE, State.FAIL, Enforcement.ADVISORY),
        (Phase.UP, State.FAIL, Enforcement.MANDATORY),
    ):
        (result,) = evaluate([subject], profiles, rules=[rule], phase=phase)
        assert (result.state, result.enforcement) == (state, enforcement), phase


def test_further_profiles_have_a_place_in_the_order(tmp_path: Path) -> None:
    text = "description: d\nenforcement: {default: mandatory, rules: {}}\nparams: {}\n"
    (tmp_path / "bank.yaml").write_text(f"name: bank\nafter: standard\n{text}")
    (tmp_path / "demo.yaml").write_text(f"name: demo\n{text}")
    ours = ROOT / "policies" / "profiles"
    profiles = read_profiles(ours, load_catalog(), others=tmp_path)
    assert [(each.name, each.strictness) for each in profiles.ordered] == [
        ("demo", 0), ("standard", 1), ("bank", 2), ("strict", 3),
    ]  # fmt: skip
    assert profiles.ordered[0].description == "d"
    for wrong in ("", "after: banks\n"):
        (tmp_path / "bank.yaml").write_text(f"name: bank\n{wrong}{text}")
        with pytest.raises(
            PackError, match=r"^profiles/bank.yaml.after: no profile named .*known: demo, standard"
        ):
            read_profiles(ours, load_catalog(), others=tmp_path)
    (tmp_path / "bank.yaml").unlink()
    (tmp_path / "demo.yaml").write_text(f"name: demo\nafter: strict\n{text}")
    with pytest.raises(PackError, match="demo has its place already"):
        read_profiles(ours, load_catalog(), others=tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff", "can't decode"),
        (b"[" * 100_000, "nested too deeply"),
        (b"- " * 100_000, "nested too deeply"),
        (b"\n".join(b" " * n + b"a:" for n in range(1000)), "nested too deeply"),
        (b"a: 2026-99-99", "month must be"),
        (b"a: " + b"x" * (1 << 20), "is larger than 1 MiB"),
        (b"{a: 1, a: 2}", "the key 'a' stands twice"),
        (b"!!python/object:os.system {}", "could not determine a constructor"),
    ],
)
def test_a_hostile_file_is_refused_by_name(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "minimum.yaml"
    path.write_bytes(content)
    with pytest.raises(PackError, match=r"^minimum.yaml: ") as error:
        yamlfile.read(path)
    assert told in str(error.value)


def test_an_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(PackError, match=r"no rule named 'network.ssh'; known: network.ssh-not-public"):
        rule_by_id("network.ssh")


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
