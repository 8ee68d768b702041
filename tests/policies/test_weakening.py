"""What counts as a weaker policy, and a change judged by the old and the new one at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policies.catalog.schema import stricter_way
from policies.evaluate import assess
from policies.governed import Seen, judge_change
from policies.model import Enforcement, PackError, Severity, State
from policies.pack import all_rules
from policies.reference import Reference, load_reference
from policies.signers import POLICY, WAIVERS, Standing, Verdict
from policies.weakening import AREAS, _looser, stricter, weakenings
from tests.policies.references import MINIMUM, RULE, WAIVER, network, write
from tests.policies.test_own import CATALOG, MODULE

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlVh3DTNDRGMrkVHn0lkKxQfnP2bHc6kfVgqNGd2Ys3"
DEMO = """\
name: demo
description: d
enforcement: {default: mandatory, rules: {}, phases: {live: {rules: {}}}}
params: {network.private-range: {widest_prefix_ipv4: 16}, network.sources-not-too-wide: {public_ports: [443]}}
phase_params: {}
"""
BUDGET = 'clients: {acme: {default: {amount: "100.00", currency: EUR}}}\n'
SIGNER = f'bob@acme.example namespaces="{WAIVERS}",valid-before="20270101" {KEY}\n'
FIRST = '  {"fingerprint": "' + "0" * 64 + '", "rule": "a.b", "subject": "s"}'
BASELINE = '{"schema": "steward.policy-baseline/1", "entries": [\n' + FIRST + "\n]}\n"
LOCKED = CATALOG.replace("severity: low", "severity: low\n  waivable: false")
FULL = {
    "minimum.yaml": MINIMUM, "profiles/demo.yaml": DEMO, "budget.yaml": BUDGET, "allowed_signers": SIGNER,
    "revoked_keys": "", "waivers/W-1.yaml": WAIVER, "baseline.json": BASELINE,
    "rules/naming.yaml": LOCKED, "rules/naming.py": MODULE,
}  # fmt: skip


BOTH_WAYS = {
    ("rules/naming.py", "if not"),
    ("waivers/W-1.yaml", "2026-11-29"),
    ("budget.yaml", "EUR"),
    ("budget.yaml", "acme:"),
}
"""Where neither of the two can be told to be the stricter one."""


def changed(tmp_path: Path, file: str, old: str, new: str) -> tuple[Reference, Reference]:
    assert old in FULL[file]
    other = {**FULL, file: FULL[file].replace(old, new)}
    return load_reference(write(tmp_path / "old", FULL)), load_reference(write(tmp_path / "new", other))


@pytest.mark.parametrize(
    ("area", "file", "old", "new", "place"),
    [
        ("minimum", "minimum.yaml", "default: standard", "default: demo", "everybody else"),
        ("minimum", "minimum.yaml", "  acme:", "  bank: {default: demo}\n  acme:", "bank"),
        ("params", "profiles/demo.yaml", "widest_prefix_ipv4: 16", "widest_prefix_ipv4: 8", "demo: " + RULE),
        ("params", "profiles/demo.yaml", "[443]", "[443, 5432]", "demo: network.sources-not"),
        ("params", "profiles/demo.yaml", "phase_params: {}",
         f"phase_params: {{up: {{{RULE}: {{widest_prefix_ipv4: 1}}}}}}", "demo at up: " + RULE),
        ("enforcement", "profiles/demo.yaml", "rules: {}, phases", f"rules: {{{RULE}: advisory}}, phases", ""),  # noqa: E501
        ("enforcement", "profiles/demo.yaml", "live: {rules: {}", f"live: {{rules: {{{RULE}: disabled}}",
         "demo at live: " + RULE),
        ("rules", "rules/naming.py", "if not", "if False and not", "rules/naming.py"),
        ("rules", "rules/naming.yaml", "waivable: false", "waivable: true", "naming.server-says-its"),
        ("rules", "rules/naming.yaml", "on_unknown: block", "on_unknown: warn", "naming.server-says-its"),
        ("waivers", "waivers/W-1.yaml", "2026-11-29", "2026-12-29", "W-1"),
        ("baseline", "baseline.json", FIRST, FIRST + ",\n" + FIRST.replace("00", "11"), "a.b on s"),
        ("budget", "budget.yaml", "100.00", "100.01", "acme-default"),
        ("budget", "budget.yaml", "EUR", "IDR", "acme-default"),
        ("budget", "budget.yaml", "acme:", "other:", "acme-default"),
        ("signers", "allowed_signers", WAIVERS, f"{WAIVERS},{POLICY}", "bob@acme.example"),
        ("signers", "allowed_signers", "20270101", "20280101", "bob@acme.example"),
        ("signers", "allowed_signers", "bob@acme.example ", "bob@acme.example,eve@acme.example ", "eve@"),
    ],
)  # fmt: skip
def test_each_way_to_weaken_is_found_and_its_opposite_is_not(
    area: str, file: str, old: str, new: str, place: str, tmp_path: Path
) -> None:
    before, after = changed(tmp_path, file, old, new)
    found = weakenings(before, after)
    assert {each.area for each in found} == {area}, found
    assert found[0].place.startswith(place)
    assert found[0].was != found[0].now
    assert bool(weakenings(after, before)) is ((file, old) in BOTH_WAYS)


def test_nothing_changed_is_no_weakening(tmp_path: Path) -> None:
    reference = load_reference(write(tmp_path, FULL))
    assert weakenings(reference, reference) == ()


def test_what_is_gone_is_a_weakening(tmp_path: Path) -> None:
    old = load_reference(write(tmp_path / "old", FULL))
    none = load_reference(write(tmp_path / "new", {"minimum.yaml": MINIMUM}))
    found = {(each.area, each.place) for each in weakenings(old, none)}
    assert ("rules", "naming.server-says-its-client") in found
    assert ("rules", "rules/naming.py") in found
    assert ("budget", "acme-default") in found
    assert not {"waivers", "baseline", "signers"} & {area for area, _ in found}, "fewer of these is stricter"


def test_a_key_that_is_no_longer_revoked_is_a_weakening(tmp_path: Path) -> None:
    old = load_reference(write(tmp_path / "old", {**FULL, "revoked_keys": KEY + "\n"}))
    new = load_reference(write(tmp_path / "new", FULL))
    assert [(each.area, each.was) for each in weakenings(old, new)] == [("signers", "revoked")]


def test_a_parameter_without_a_direction_cannot_change_unseen(tmp_path: Path) -> None:
    text = DEMO.replace("{public_ports: [443]}", "{public_ports: [443], ports_with_own_rule: [2222]}")
    old = load_reference(write(tmp_path / "old", FULL))
    new = load_reference(write(tmp_path / "new", {**FULL, "profiles/demo.yaml": text}))
    assert [each.place for each in weakenings(old, new)] == [
        "demo: network.sources-not-too-wide.ports_with_own_rule"
    ]


def test_values_that_cannot_be_compared_are_looser() -> None:
    for way in ("lower", "higher"):
        assert _looser(85, math.nan, way)
        assert _looser(math.nan, 85, way)
        assert _looser(85, "85", way)
    assert not _looser(85, 80, "lower")
    assert not _looser(85, 90, "higher")


LAX = """\
name: lax
description: d
after: strict
enforcement: {default: disabled, rules: {}}
params: {}
"""


def test_a_profile_above_the_strictest_has_to_be_as_strict(tmp_path: Path) -> None:
    """Else a fleet would declare it, and of what it declares and its minimum the later one judges."""
    old = load_reference(write(tmp_path / "old", FULL))
    new = load_reference(write(tmp_path / "new", {**FULL, "profiles/lax.yaml": LAX}))
    found = weakenings(old, new)
    assert {each.area for each in found} == {"params", "enforcement"}
    assert f"lax: {RULE}" in {each.place for each in found if each.area == "enforcement"}


def test_another_order_of_profiles_is_a_weakening(tmp_path: Path) -> None:
    text = LAX.replace("lax", "bank").replace("default: disabled", "default: mandatory")
    old = load_reference(write(tmp_path / "old", {**FULL, "profiles/bank.yaml": text}))
    moved = {"profiles/bank.yaml": text.replace("after: strict", "after: demo")}
    new = load_reference(write(tmp_path / "new", {**FULL, **moved}))
    assert [(each.area, each.place) for each in weakenings(old, new)] == [
        ("minimum", "the order of profiles")
    ]


def both(tmp_path: Path, new: Mapping[str, str], verdict: Verdict | None = None) -> dict[str, State]:
    """State of RULE on a wide network, and of each rule of governance on the new reference."""
    old_files = {"minimum.yaml": "default: strict\nclients: {}\n"}
    old = load_reference(write(tmp_path / "old", old_files), name="old")
    after = load_reference(write(tmp_path / "new", new), name="new", run_rules=False)
    seen = Seen(NOW, proposal=verdict or Verdict(Standing.MISSING))
    found = judge_change([network(cidr="10.0.0.0/18")], old, after, seen, {})
    assert sum(found.counts().values()) == len(found.rules) * len(found.subjects)
    states = {each.rule: each.state for each in found.results if each.subject.name == "new"}
    return states | {RULE: next(each.state for each in found.results if each.rule == RULE)}


def test_a_change_of_fleet_and_policy_is_judged_by_the_stricter_of_both(tmp_path: Path) -> None:
    states = both(tmp_path, {"minimum.yaml": "default: demo\nclients: {}\n"})
    assert states[RULE] is State.FAIL, "by the old one"
    assert states["governance.minimum-not-milder"] is State.FAIL


def test_an_owners_signature_settles_the_weakening_but_not_yet_the_fleet(tmp_path: Path) -> None:
    signed = Verdict(Standing.GOOD, "cto@acme.example", "SHA256:x")
    states = both(tmp_path, {"minimum.yaml": "default: demo\nclients: {}\n"}, signed)
    assert states["governance.minimum-not-milder"] is State.NOT_APPLICABLE
    assert states[RULE] is State.FAIL, "the old reference holds until the new one is the reference"


def test_a_new_waiver_and_a_new_baseline_of_the_same_change_excuse_nothing(tmp_path: Path) -> None:
    states = both(tmp_path, {"waivers/W-1.yaml": WAIVER, "baseline.json": BASELINE})
    assert states[RULE] is State.FAIL
    assert states["governance.waivers-not-added"] is State.FAIL
    assert states["governance.baseline-not-grown"] is State.FAIL


def test_each_area_has_its_rule() -> None:
    rules = [rule.id for rule in load_reference(None).pack.rules if rule.id.startswith("governance.")]
    for area in AREAS:
        assert sum(rule.startswith(f"governance.{area}-not-") for rule in rules) == 1, area


def test_the_worse_of_two_judgements_counts_pair_by_pair() -> None:
    pack = load_reference(None).pack
    ranges, tags = (
        next(rule for rule in pack.rules if rule.id == name) for name in (RULE, "quality.tags-complete")
    )
    good, bad = network(cidr="10.0.0.0/24"), network()
    advice = pack.profiles.where_unsaid({RULE: Enforcement.ADVISORY})
    stops = assess([bad], pack.profiles, rules=[ranges])
    advises = assess([bad], advice, rules=[ranges])
    passes = assess([good], pack.profiles, rules=[ranges])
    for one, other in ((stops, advises), (advises, stops), (passes, stops), (stops, passes)):
        merged = stricter(one, other)
        assert [each.enforcement for each in merged.results] == [Enforcement.MANDATORY]
        assert merged.matrix == {RULE: "f"}
    assert stricter(passes, passes).counts()[State.PASS] == 1
    more = stricter(stops, assess([network("b")], pack.profiles, rules=[tags]))
    assert more.matrix == {tags.id: "px", ranges.id: "xf"}
    assert [subject.name for subject in more.subjects] == ["b", "app"]


def test_a_blocking_unknown_outweighs_an_advisory_failure() -> None:
    pack = load_reference(None).pack
    rule = next(rule for rule in pack.rules if rule.id == RULE)
    (failed,) = assess([network()], pack.profiles, rules=[rule]).results
    whole = assess([network()], pack.profiles, rules=[rule])
    advisory = replace(whole, results=(failed._replace(enforcement=Enforcement.ADVISORY),))
    unknown = replace(whole, matrix={RULE: "u"}, results=(failed._replace(state=State.UNKNOWN),))
    for merged in (stricter(advisory, unknown), stricter(unknown, advisory)):
        assert merged.matrix == {RULE: "u"}
        assert [each.blocks for each in merged.results] == [True]


def test_a_lower_severity_is_a_weakening() -> None:
    old = load_reference(None)
    rules = tuple(
        replace(each, severity=Severity.LOW) if each.id == RULE else each for each in old.pack.rules
    )
    new = replace(old, pack=replace(old.pack, rules=rules))
    assert [(each.place, each.was, each.now) for each in weakenings(old, new)] == [
        (f"{RULE}.severity", "medium", "low")
    ]


def test_a_direction_is_lower_or_higher(tmp_path: Path) -> None:
    wrong = CATALOG.replace("default: 4,", "default: 4, stricter: more,")
    with pytest.raises(PackError, match=r"least_length.stricter: expected lower or higher; got 'more'"):
        load_reference(write(tmp_path, {"rules/naming.yaml": wrong, "rules/naming.py": MODULE}))


NEITHER_WAY = {
    "servers.public-address-has-reason.reason_tag",
    "access.system-accounts-closed.first_person",
    "hardening.file-modes.modes",
    "hardening.cron-closed.modes",
}
"""A name, a border between kinds of account, lists whose order counts: any change may be to the worse."""


def test_each_parameter_says_which_way_is_stricter() -> None:
    """Else every change of it needs a signature, also one to the better."""
    silent = [
        f"{rule.id}.{name}"
        for rule in all_rules()
        for name, schema in rule.params.items()
        if not stricter_way(name, schema) and f"{rule.id}.{name}" not in NEITHER_WAY
    ]
    assert silent == [], (
        "say `stricter: lower` or `stricter: higher` there; for a list: lower, fewer is stricter"
    )
