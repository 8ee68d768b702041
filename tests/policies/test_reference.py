"""The policy reference in a folder: read whole, by name, or refused."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policies.baseline import SCHEMA, Baseline, Entry, as_text, parse_baseline
from policies.model import Enforcement, PackError, Phase
from policies.pack import all_rules
from policies.reference import BUILT_IN, load_reference
from policies.reference.manifest import digest, manifest
from tests.policies.references import RULE, WAIVER, write
from tests.policies.test_own import CATALOG, MODULE

AS_DOCUMENTED = (
    "find * -type f ! -path '*__pycache__*' ! -name reference.sig | LC_ALL=C sort | xargs sha256sum"
)
PROFILE = f"""\
name: bank
description: a bank
after: standard
enforcement:
  default: mandatory
  rules: {{naming.server-says-its-client: advisory}}
  phases: {{live: {{rules: {{{RULE}: advisory}}}}}}
params: {{naming.server-says-its-client: {{least_length: 6}}}}
"""
BUDGET = """\
clients:
  acme:
    default: {amount: "1200.50", currency: EUR}
    demo: {amount: 100, currency: EUR}
"""
ROW = {"fingerprint": "0" * 64, "rule": RULE, "subject": "s"}


def test_without_a_folder_what_comes_with_steward_holds() -> None:
    found = load_reference(None)
    assert (found.name, found.waivers, found.baseline, found.signers.each) == (BUILT_IN, (), Baseline(), ())
    assert found.pack.profiles.minimum.of("acme", "demo") == "demo"
    assert found.ceilings.of("acme", "demo") is None


def test_everything_that_a_reference_may_hold(tmp_path: Path) -> None:
    files = {
        "minimum.yaml": "default: bank\nclients: {acme: {demo: demo}}\n", "profiles/bank.yaml": PROFILE,
        "rules/naming.yaml": CATALOG, "rules/naming.py": MODULE, "waivers/W-1.yaml": WAIVER,
        "waivers/W-1.yaml.sig": "s", "budget.yaml": BUDGET, "README.md": "ours", ".gitignore": "x",
        "baseline.json": as_text(Baseline((Entry(**ROW),))),
    }  # fmt: skip
    found = load_reference(write(tmp_path, files), name="ours")
    assert found.name == "ours"
    assert [each.name for each in found.pack.profiles.ordered] == ["demo", "standard", "bank", "strict"]
    assert found.pack.profiles.minimum.of("other", "x") == "bank"
    bank = found.pack.profiles.named("bank")
    assert bank is not None
    assert bank.enforcement("naming.server-says-its-client") is Enforcement.ADVISORY
    assert bank.enforcement(RULE, Phase.LIVE) is Enforcement.ADVISORY
    assert found.pack.own == {"naming.server-says-its-client"}
    assert [each.id for each in found.waivers] == ["W-1"]
    assert found.baseline.fingerprints == {"0" * 64}
    assert str(found.ceilings.of("acme", "production")) == "1200.50 EUR a month"
    ceiling = found.ceilings.of("acme", "demo")
    assert ceiling is not None
    assert ceiling.amount == Decimal(100)
    assert found.ceilings.of("other", "demo") is None
    assert found.code == {"rules/naming.py": hashlib.sha256(MODULE.encode()).hexdigest()}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("waivers/W-9.yaml.sig", "waivers/W-9.yaml.sig: signs W-9.yaml, which is not there; take it out"),
        ("profiles/bank.yml", "profiles/bank.yml: not understood; a profile ends in .yaml"),
        ("wavers", "policy reference: wavers: not understood"),
        ("minimum.yaml", "minimum.yaml: expected a mapping"),
    ],
)
def test_a_file_that_nobody_would_read_is_refused_by_name(tmp_path: Path, name: str, told: str) -> None:
    folder = write(tmp_path, {"README.md": "ours", name: "x"})
    with pytest.raises(PackError, match=re.escape(told)):
        load_reference(folder)


def test_rules_that_are_data_run_nothing(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    evil = f"from pathlib import Path\nPath({str(ran)!r}).touch()\n" + MODULE
    folder = write(tmp_path / "p", {"rules/naming.yaml": CATALOG, "rules/naming.py": evil})
    rule = load_reference(folder, run_rules=False).pack.rules[len(all_rules())]
    assert (rule.id, rule.check, ran.exists()) == ("naming.server-says-its-client", None, False)
    load_reference(folder)
    assert ran.exists(), "else this test proves nothing"


@pytest.mark.parametrize("does", ["raise SystemExit(0)", "raise GeneratorExit"])
def test_a_module_that_exits_while_it_loads_is_a_refusal(does: str, tmp_path: Path) -> None:
    folder = write(tmp_path, {"rules/naming.yaml": CATALOG, "rules/naming.py": f"{does}\n{MODULE}"})
    with pytest.raises(PackError, match=r"rules/naming.py: line 1 cannot be loaded"):
        load_reference(folder)


def test_a_compiled_file_beside_a_rule_is_never_run(tmp_path: Path) -> None:
    """The digest that people sign is of the source; so what runs has to be made of it."""
    folder = write(tmp_path, {"rules/naming.yaml": CATALOG, "rules/naming.py": MODULE})
    source, ran = folder / "rules" / "naming.py", tmp_path.parent / f"{tmp_path.name}-ran"
    import importlib.util
    import py_compile

    cached = Path(importlib.util.cache_from_source(str(source)))
    evil = tmp_path.parent / f"{tmp_path.name}-evil.py"
    evil.write_text(f"open({str(ran)!r}, 'w').close()\n{MODULE}")
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(evil), cfile=str(cached), invalidation_mode=mode)
    load_reference(folder)
    assert not ran.exists()


def test_fleets_may_add_rules_but_not_take_the_place_of_protected_ones(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", {"rules/naming.yaml": CATALOG, "rules/naming.py": MODULE})
    own = tmp_path / "own"
    own.mkdir()
    (own / "naming.yaml").write_text(CATALOG)
    (own / "naming.py").write_text("def server_says_its_client(subject, params):\n    return []\n")
    with pytest.raises(PackError, match=r"rules: more than one entry for naming.server-says-its-client"):
        load_reference(folder, own_rules=own)


def test_the_manifest_is_what_plain_tools_say(tmp_path: Path) -> None:
    folder = write(tmp_path, {"waivers/W-1.yaml": WAIVER, "waivers/W-1.yaml.sig": "s", "reference.sig": "x"})
    (folder / "rules" / "__pycache__").mkdir(parents=True)
    (folder / "rules" / "__pycache__" / "x.pyc").write_text("x")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    said = subprocess.run(
        ["bash", "-c", AS_DOCUMENTED], cwd=folder, capture_output=True, text=True, check=True
    )
    assert manifest(folder) == said.stdout
    before = digest(manifest(folder))
    (folder / "reference.sig").write_text("another")
    assert digest(manifest(folder)) == before
    (folder / "waivers" / "W-1.yaml.sig").write_text("t")
    assert digest(manifest(folder)) != before


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("wavers/W-1.yaml", "wavers: not understood; known: minimum.yaml"),
        ("waivers.yaml", "waivers.yaml: not understood"),
        ("budgets.yaml", "budgets.yaml: not understood"),
        ("rules/a b.py", "rules/a b.py: not understood"),
        ("rules/.hidden", "rules/.hidden: not understood"),
        ("rules/a/b/c/d/e.py", "too deep"),
    ],
)
def test_what_nobody_would_read_is_refused(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"^policy reference: ") as error:
        load_reference(write(tmp_path, {name: "x"}))
    assert told in str(error.value)


def test_a_link_or_another_folder_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "p")
    (folder / "budget.yaml").symlink_to("/etc/passwd")
    with pytest.raises(PackError, match=r"budget.yaml: expected a file or a folder, and no link"):
        load_reference(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(PackError, match=r"empty has no minimum.yaml, so it is none"):
        load_reference(tmp_path / "empty")
    with pytest.raises(PackError, match="is no folder"):
        load_reference(tmp_path / "gone")


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("minimum.yaml", "default: lax\nclients: {}\n", "no profile named 'lax'"),
        ("profiles/demo.yaml", "name: demo", "profiles/demo.yaml: missing: description"),
        (
            "profiles/demo.yaml",
            PROFILE.replace("bank", "demo").replace("after: standard\n", ""),
            "naming.server",
        ),
        ("budget.yaml", "clients: {acme: {demo: {amount: 1.5, currency: EUR}}}", "expected money in quotes"),
        ("budget.yaml", "clients: {acme: {demo: {amount: -1, currency: EUR}}}", "expected money in quotes"),
        ("budget.yaml", "clients: {acme: {demo: {amount: 1, currency: euro}}}", "three capital letters"),
        ("budget.yaml", "clients: {acme: {demo: {amount: 1}}}", "missing: currency"),
        (
            "budget.yaml",
            "clients: {Acme: {demo: {amount: 1}}}",
            "budget.yaml.clients: no client can be named",
        ),
        (
            "budget.yaml",
            "clients: {acme: {prod-eu: {amount: 1}}}",
            "clients.acme: no environment can be named",
        ),
        ("baseline.json", "{", "baseline.json: Expecting"),
        ("baseline.json", "[" * 50_000, "baseline.json: "),
        ("baseline.json", json.dumps({"schema": "x", "entries": []}), f"under the schema {SCHEMA}"),
        (
            "baseline.json",
            json.dumps({"schema": SCHEMA, "entries": [ROW, ROW]}),
            "more than one entry for 000",
        ),
        ("baseline.json", json.dumps({"schema": SCHEMA, "entries": [{**ROW, "rule": 5}]}), "expected a text"),
        ("baseline.json", json.dumps({"schema": SCHEMA, "entries": [{**ROW, "fingerprint": "x"}]}), "64 hex"),
        ("allowed_signers", "bob\n", "allowed_signers:1"),
        ("waivers/W-1.yaml", "id: W-1", "waivers/W-1.yaml: missing"),
        ("rules/naming.yaml", CATALOG, "rules/naming.yaml: has no naming.py"),
    ],
)
def test_a_mistake_in_a_file_is_told_by_its_name(file: str, text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(PackError) as error:
        load_reference(write(tmp_path, {file: text}))
    assert told in str(error.value)


def test_a_baseline_is_written_one_line_an_entry() -> None:
    entries = (Entry("1" * 64, "b.b", "s"), Entry("0" * 64, "a.a", "t"))
    text = as_text(Baseline(entries))
    assert [line[:21] for line in text.splitlines()[1:3]] == [
        '  {"fingerprint": "00',
        '  {"fingerprint": "11',
    ]
    assert set(parse_baseline(text.encode(), "x").entries) == set(entries)
    assert parse_baseline(as_text(Baseline()).encode(), "x") == Baseline()


def test_the_pack_judges_by_the_reference(tmp_path: Path, start_pack: Callable[..., Any]) -> None:
    from tests.policies.test_pack_protocol import request, said

    lax = "default: demo\nclients: {}\n"
    asked = request("local:index:Network", "app", cidr="10.0.0.0/18")
    strict = write(tmp_path / "strict", {"minimum.yaml": "default: strict\nclients: {}\n"})
    for folder, expected in ((strict, True), (write(tmp_path / "lax", {"minimum.yaml": lax}), False)):
        pack = start_pack(env={"STEWARD_POLICY_FOLDER": str(folder)})
        assert (RULE in said(pack.Analyze(asked))) is expected


def test_a_pack_whose_reference_is_gone_does_not_start(
    tmp_path: Path, start_pack: Callable[..., Any]
) -> None:
    with pytest.raises(ValueError, match="invalid literal"):  # no port on its first line
        start_pack(env={"STEWARD_POLICY_FOLDER": str(tmp_path / "gone")})
