"""A change of fleet and policy together: `plan` and `up` are judged by what holds and by the draft."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import TINY, World, podman_objects, unfolded_document

pytestmark = [pytest.mark.real, pytest.mark.e2e]

RULE = "network.private-range"
MINIMUM = "default: demo\nclients: {}\n"
PROFILE = """\
name: demo
description: For these tests.
enforcement: {default: mandatory, rules: {quality.group-serves-somebody: advisory}, phases: {}}
params: {network.private-range: {widest_prefix_ipv4: 16}}
phase_params: {}
"""


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=ann", "-c", "user.email=ann@e2e.example"]
    subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A repository with a fleet and the policy that judges it, whose main branch holds."""
    made = World(tmp_path)
    made.environment["STEWARD_POLICY_REFERENCE"] = f"{tmp_path}@main:policy"
    (tmp_path / "policy" / "profiles").mkdir(parents=True)
    (tmp_path / "policy" / "minimum.yaml").write_text(MINIMUM)
    (tmp_path / "policy" / "profiles" / "demo.yaml").write_text(PROFILE)
    made.fleet("tiny.yaml", TINY.replace("environment: tiny", "environment: draft"))
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "add", "policy", "tiny.yaml")
    git(tmp_path, "commit", "--quiet", "--message", "What holds")
    yield made
    git(tmp_path, "checkout", "--quiet", "policy")
    made.ok("destroy", "--fleet", tmp_path / "tiny.yaml")


def test_a_draft_that_is_stricter_stops_what_the_policy_lets_through(world: World) -> None:
    fleet = world.folder / "tiny.yaml"
    before = podman_objects("e2e-draft")
    held = world.steward("plan", "--fleet", fleet)
    assert RULE not in held.out, held.all

    profile = world.folder / "policy" / "profiles" / "demo.yaml"
    profile.write_text(PROFILE.replace("widest_prefix_ipv4: 16", "widest_prefix_ipv4: 28"))
    for verb in ("plan", "up"):
        done = world.steward(verb, "--fleet", fleet, "--json")
        assert done.code == 1, done.all
        rows = [row for row in unfolded_document(done.out)["findings"] if row["rule"] == RULE]
        told = [(row["subject"], row["blocking"], row["observed"]) for row in rows]
        assert told == [("lan", True, "10.73.0.0/24")], done.out[:2000]
    assert podman_objects("e2e-draft") == before

    profile.write_text(PROFILE.replace("default: mandatory", "default: advisory"))
    milder = world.steward("plan", "--fleet", fleet)
    assert milder.code == 1, milder.all
    assert "governance.enforcement-not-lowered" in milder.out
