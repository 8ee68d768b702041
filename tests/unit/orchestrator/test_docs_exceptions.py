"""The commands of docs/exceptions.md, run one after the other as a person would, with real keys."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.policy_reference import open_policy
from orchestrator.signatures import proposal_verdict
from policies.governed import IN_FORCE, in_force, judge
from policies.model import Enforcement, Phase, State
from policies.signers import Standing
from tests.policies.references import RULE, make_key, network
from tests.unit.orchestrator.test_policy_reference import settings

PAGE = (Path(__file__).parents[3] / "docs" / "exceptions.md").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page leaves behind: the folder `policy`."""
    home = tmp_path_factory.mktemp("page")
    for who in ("bob", "cto"):
        make_key(home / ".ssh", who)
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 7
    env = {**os.environ, "HOME": str(home)}
    subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=home, env=env, check=True)
    return home / "policy"


def test_what_the_page_makes_is_a_policy_reference_that_judges(folder: Path, tmp_path: Path) -> None:
    now = datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)
    policy = open_policy(settings(tmp_path, folder), now)
    assert [each.id for each in in_force(policy.holding, policy.seen)] == ["W-2026-014"]
    assert str(policy.holding.ceilings.of("acme", "demo")) == "100.00 EUR a month"
    assert policy.holding.pack.profiles.minimum.of("acme", "production") == "strict"
    office = policy.holding.pack.profiles.named("office")
    assert office is not None
    owners = "quality.service-has-owner"
    assert [office.enforcement(owners), office.enforcement(owners, Phase.LIVE)] == [
        Enforcement.ADVISORY, Enforcement.MANDATORY,
    ]  # fmt: skip
    found = judge([network()], policy.holding, policy.seen)
    assert next(each.state for each in found.results if each.rule == RULE) is State.WAIVED
    assert not [each for each in found.blocking() if each.rule.startswith("governance.")]


def test_the_signature_over_the_folder_is_a_policy_owners(folder: Path, tmp_path: Path) -> None:
    holding = open_policy(settings(tmp_path, folder), datetime.now(UTC)).holding
    told = proposal_verdict(folder, folder, holding.signers, datetime.now(UTC))
    assert (told.standing, told.principal) == (Standing.GOOD, "cto@acme.example")


def test_the_page_names_what_a_waiver_needs_to_hold() -> None:
    assert set(re.findall(r"`(governance\.waiver-[a-z-]+)`", PAGE)) == set(IN_FORCE)
