"""destroy: refuses while data would go, and afterwards nothing is left. Runs last: it ends the shared world."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.world import ROOT, command, podman_objects

pytestmark = [pytest.mark.real, pytest.mark.e2e]


def test_destroy_refuses_while_data_would_go(demo: Demo) -> None:
    before = podman_objects()
    for fleet, name in ((demo.shop, "db-1-data"), (demo.vault, "vault-1-repositories")):
        done = demo.world.steward("destroy", "--fleet", fleet)
        assert done.code == 2, done.all
        assert name in done.err
        assert f"--delete-data {name}" in done.err
        wrong = demo.world.steward("destroy", "--fleet", fleet, "--delete-data", "something-else")
        assert wrong.code == 2
        assert name in wrong.err
    assert podman_objects() == before
    demo.world.ok("verify", "--fleet", demo.shop)


def test_destroy_leaves_nothing(demo: Demo) -> None:
    for fleet, name in ((demo.shop, "db-1-data"), (demo.vault, "vault-1-repositories")):
        done = demo.world.steward("destroy", "--fleet", fleet, "--delete-data", name)
        assert done.code == 0, done.all
        again = demo.world.steward("destroy", "--fleet", fleet, "--delete-data", name)
        assert again.code == 2
        assert "no such stack" in again.err
    assert podman_objects() == demo.before
    # What signs and opens the evidence outlives the stack; the last try to anchor it notes where the vault was.
    left = [path for path in (demo.world.home / "keys").rglob("*") if path.is_file()]
    assert {path.name for path in left if "evidence" not in path.parts} <= {"config", "known_hosts"}
    assert not list((ROOT / "stacks" / "config").glob("Pulumi.e2e-[sv]*.yaml"))
    assert not list(Path("/etc/systemd/system").glob("steward-*e2e*"))
    assert "10.71.0" not in command(["nft", "list", "ruleset"])
    assert "e2e-shop" not in command(["ps", "-e", "-o", "args"])
