"""`steward policy waive` and `baseline`: what is written, who signs it, and what may never come in."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.cli.main import run as steward
from orchestrator.policy_reference import open_policy
from orchestrator.settings import load_settings
from policies.governed import in_force
from policies.signers import Standing
from tests.policies.references import make_key, write

Out = pytest.CaptureFixture[str]
URN = "urn:pulumi:acme-demo::steward::local:index:Network::app"
RULE = "cost.line-is-priced"
SOON = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
WORDS: dict[str, str] = {
    "--id": "W-7", "--owner": "ann@acme.example", "--approver": "bob@acme.example", "--ticket": "OPS-17",
    "--reason": 'He said: "no" # really', "--expires": SOON, "--control": "The edge firewall drops it.",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy reference in which bob may sign waivers."""
    monkeypatch.setattr("orchestrator.process.stop_on_signals", lambda: None)
    monkeypatch.setattr("orchestrator.cli.output._Stdout.used", False)
    make_key(tmp_path / "keys", "bob")
    public = " ".join((tmp_path / "keys" / "bob.pub").read_text().split()[:2])
    line = f'bob@acme.example namespaces="steward-waiver@v1",valid-before="20991231Z" {public}\n'
    made = write(tmp_path / "policy", {"allowed_signers": line})
    (tmp_path / "fleets").mkdir()
    for name, value in {
        "HOME": tmp_path / "home", "PROJECT": tmp_path / "fleets", "POLICY_REFERENCE": made,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"STEWARD_{name}", str(value))
    return made


def said(capfd: Out, code: int, *words: str | Path) -> str:
    got = steward(["policy", *map(str, words)])
    out, err = capfd.readouterr()
    assert got == code, out + err
    return out + err


def waive(capfd: Out, code: int, rule: str = "network.private-range", **other: str) -> str:
    named = {**WORDS, **{f"--{key}": value for key, value in other.items()}}
    return said(capfd, code, "waive", rule, URN, *(word for pair in named.items() for word in pair))


def test_a_waiver_holds_once_its_approver_ran_what_was_printed(
    folder: Path, capfd: Out, tmp_path: Path
) -> None:
    told = waive(capfd, 0)
    path = folder / "waivers" / "W-7.yaml"
    assert yaml.safe_load(path.read_text())["reason"] == WORDS["--reason"]
    assert list(path.parent.iterdir()) == [path], "nothing here signs"
    policy = open_policy(load_settings(), datetime.now(UTC))
    assert policy.seen.waivers["W-7"].standing is Standing.MISSING
    assert in_force(policy.holding, policy.seen) == ()
    sign, verify = (line.strip() for line in told.splitlines() if line.startswith("  ssh-keygen"))
    key = str(tmp_path / "keys" / "bob")
    subprocess.run(sign.replace("KEY", key), shell=True, check=True, capture_output=True)  # noqa: S602
    subprocess.run(verify, shell=True, check=True, capture_output=True)  # noqa: S602
    policy = open_policy(load_settings(), datetime.now(UTC))
    assert [each.id for each in in_force(policy.holding, policy.seen)] == ["W-7"]


@pytest.mark.parametrize(
    ("rule", "other", "why"),
    [
        ("network.no-such-rule", {}, "no rule named"),
        ("governance.baseline-only-shrinks", {}, "can be waived by nobody"),
        ("network.private-range", {"approver": "ANN@acme.example"}, "owner and approver are one person"),
        ("network.private-range", {"expires": "2020-01-31"}, "is before it was created"),
        ("network.private-range", {"id": "../W-7"}, "expected letters, digits"),
        ("network.private-range", {"reason": " "}, "expected a text"),
    ],
)
def test_a_waiver_that_could_never_hold_is_not_written(
    folder: Path, capfd: Out, rule: str, other: dict[str, str], why: str
) -> None:
    assert why in waive(capfd, 2, rule, **other)
    assert not (folder / "waivers").exists()


def test_a_waiver_that_is_there_stays(folder: Path, capfd: Out) -> None:
    waive(capfd, 0)
    before = (folder / "waivers" / "W-7.yaml").read_bytes()
    assert "is there already" in waive(capfd, 2, reason="another")
    assert (folder / "waivers" / "W-7.yaml").read_bytes() == before


def lines_of(tmp_path: Path, **prices: str) -> Path:
    """Cost lines of these names at these prices, of which a negative one fails."""
    lines: list[dict[str, Any]] = [
        {
            "kind": "server", "name": name, "identity": name, "tags": {"owner": "o"}, "sku": "small",
            "region": "r", "monthly": price, "currency": "EUR", "price": None,
        }
        for name, price in prices.items()
    ]  # fmt: skip
    path = tmp_path / "lines.json"
    path.write_text(json.dumps({"schema": "steward.cost-lines/1", "budget": None, "lines": lines}))
    return path


def rules_in(folder: Path) -> list[str]:
    entries = json.loads((folder / "baseline.json").read_text())["entries"]
    return sorted(each["subject"].rsplit("/", 1)[-1] for each in entries if each["rule"] == RULE)


def test_a_baseline_begins_once_and_only_gets_smaller(folder: Path, capfd: Out, tmp_path: Path) -> None:
    assert "is not there" in said(capfd, 2, "baseline", "--from", lines_of(tmp_path, a="-1.00"), "--shrink")
    said(capfd, 0, "baseline", "--from", lines_of(tmp_path, a="-1.00", b="-1.00"))
    assert rules_in(folder) == ["a", "b"]
    assert "only gets smaller" in said(capfd, 2, "baseline", "--from", lines_of(tmp_path, a="-1.00"))
    three = lines_of(tmp_path, a="-1.00", b="3.10", c="-1.00")
    assert "taken out" in said(capfd, 0, "baseline", "--from", three, "--shrink")
    assert rules_in(folder) == ["a"], "b was mended, and c is new"


def test_files_without_a_subject_take_nothing_of_it_out_of_the_baseline(
    folder: Path, capfd: Out, tmp_path: Path
) -> None:
    said(capfd, 0, "baseline", "--from", lines_of(tmp_path, a="-1.00", b="-1.00"))
    before = json.loads((folder / "baseline.json").read_text())["entries"]
    told = said(capfd, 0, "baseline", "--from", lines_of(tmp_path, c="3.10"), "--shrink")
    assert json.loads((folder / "baseline.json").read_text())["entries"] == before
    assert f"{len(before)} failures are excused until their values change, 0 taken out" in told
    assert f"{len(before)} entries stay because these files do not have the subject" in told
    assert f"  {before[0]['rule']} on {before[0]['subject']}" in told
    said(capfd, 0, "baseline", "--from", lines_of(tmp_path, a="3.10"), "--shrink")
    assert rules_in(folder) == ["b"]


def test_one_entry_is_told_in_the_singular(folder: Path, capfd: Out, tmp_path: Path) -> None:
    said(capfd, 0, "baseline", "--from", lines_of(tmp_path, a="-1.00"))
    kept = json.loads((folder / "baseline.json").read_text())
    (folder / "baseline.json").write_text(json.dumps({**kept, "entries": kept["entries"][:1]}))
    told = said(capfd, 0, "baseline", "--from", lines_of(tmp_path, b="3.10"), "--shrink")
    assert "1 failure is excused until its value changes, 0 taken out" in told
    assert "1 entry stays because" in told


def test_no_baseline_is_begun_over_what_may_not_be_excused(folder: Path, capfd: Out, tmp_path: Path) -> None:
    said(capfd, 0, "baseline", "--from", lines_of(tmp_path, a="-1.00"))
    entries = json.loads((folder / "baseline.json").read_text())["entries"]
    assert not [each for each in entries if each["rule"].startswith("governance.")]


def test_a_reference_in_git_is_written_to_in_a_checkout_only(
    folder: Path, capfd: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEWARD_POLICY_REFERENCE", "/srv/policy@main:reference")
    assert "is no folder that can be written to" in waive(capfd, 2)
    monkeypatch.delenv("STEWARD_POLICY_REFERENCE")
    assert "--reference" in waive(capfd, 2)
    waive(capfd, 0, reference=str(folder))
