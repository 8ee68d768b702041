"""The pack under a policy reference: all it knows of signatures is what the orchestrator found out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.policy_reference import policy_environment
from policies.evaluate import evaluate
from policies.model import PackError
from policies.profiles import load_profiles
from policies.signers import WAIVERS
from policies.verdicts import parse_verdicts
from tests.policies.references import RULE, WAIVER, make_key, network, sign, signer, write
from tests.policies.test_pack_protocol import request, said
from tests.unit.orchestrator.test_policy_reference import settings


def test_the_pack_is_told_what_signatures_are_worth(tmp_path: Path, start_pack: Callable[..., Any]) -> None:
    bob, today = make_key(tmp_path, "bob"), datetime.now(UTC).date()
    text = WAIVER.replace("2026-11-29", str(today)).replace("2026-11-01", str(today - timedelta(days=1)))
    folder = write(
        tmp_path / "policy",
        {"waivers/W-1.yaml": text, "allowed_signers": signer(bob, "bob@acme.example", WAIVERS)},
    )
    sign(bob, WAIVERS, text.encode(), folder / "waivers" / "W-1.yaml.sig")
    env = dict(policy_environment(settings(tmp_path, folder)))
    assert parse_verdicts(Path(env["STEWARD_POLICY_VERDICTS"]).read_bytes(), "x").waivers["W-1"].principal
    wide = request("local:index:Network", "app", cidr="8.8.8.0/24")
    assert RULE not in said(start_pack(env=env).Analyze(wide)), "waived"
    other = request("local:index:Network", "other", cidr="8.8.8.0/24")
    assert RULE in said(start_pack(env=env).Analyze(other))
    unread = {"STEWARD_POLICY_FOLDER": str(folder)}
    assert RULE in said(start_pack(env=unread).Analyze(wide)), "nobody looked at the signature"


def test_the_pack_excuses_by_no_entry_that_the_baseline_grew_by(
    tmp_path: Path, start_pack: Callable[..., Any]
) -> None:
    """As `steward` does: what was there when it was first read excuses, what came later unsigned does not."""
    wide = request("local:index:Network", "app", cidr="8.8.8.0/24")
    (found,) = (each for each in evaluate([network()], load_profiles()) if each.rule == RULE)
    assert found.subject.urn == wide.urn
    entries = [{"fingerprint": found.fingerprint, "rule": RULE, "subject": wide.urn}]
    baseline = json.dumps({"schema": "steward.policy-baseline/1", "entries": entries})

    def environment(home: str, files: dict[str, str]) -> dict[str, str]:
        policy_environment.cache_clear()
        return dict(policy_environment(settings(tmp_path / home, write(tmp_path / home / "policy", files))))

    first = environment("first", {"baseline.json": baseline})
    assert RULE not in said(start_pack(env=first).Analyze(wide)), "baselined"
    environment("second", {})
    grown = environment("second", {"baseline.json": baseline})
    assert RULE in said(start_pack(env=grown).Analyze(wide))


def test_the_pack_believes_no_verdicts_on_another_version(
    tmp_path: Path, start_pack: Callable[..., Any]
) -> None:
    folder = write(tmp_path / "policy")
    env = dict(policy_environment(settings(tmp_path, folder)))
    (folder / "minimum.yaml").write_text("default: strict\nclients: {}\n")
    with pytest.raises(ValueError, match="invalid literal"):  # no port on its first line
        start_pack(env=env)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{", "["),
        ("steward.policy-verdicts/2", "steward.policy-verdicts/9"),
        ('"judged_at": "', '"judged_at": "x'),
        ("+00:00", ""),
        ('"waivers": {}', '"waivers": {"W-1": {"standing": "fine", "principal": "", "key": "", "said": ""}}'),
        ('"waivers": {}', '"waivers": {"W-1": {}}'),
        ('"baseline": []', '"baseline": {}'),
        ('"baseline": []', '"baseline": [1]'),
    ],
)
def test_verdicts_that_cannot_be_read_are_refused(old: str, new: str, tmp_path: Path) -> None:
    file = Path(policy_environment(settings(tmp_path, write(tmp_path / "policy")))["STEWARD_POLICY_VERDICTS"])
    text = file.read_text()
    assert old in text
    with pytest.raises(PackError, match=r"^verdicts"):
        parse_verdicts(text.replace(old, new, 1).encode(), "verdicts")
