"""The fleets that every fault is made in: brought up once, destroyed at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import World
from tests.faults.fleets import SHOP, VAULT_NAMES, Broken


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    """Vault and shop, up and healthy; each test breaks something and leaves them healthy again."""
    scratch = tempfile.mkdtemp(prefix="f-")  # short: sockets are made in it
    world = World(tmp_path_factory.mktemp("faults"), {"TMPDIR": scratch})
    vault, shop = world.example("vault.yaml", VAULT_NAMES), world.fleet("shop.yaml", SHOP)
    try:
        for fleet in (vault, shop):
            up = world.steward("up", "--fleet", fleet)
            assert up.code == 0, up.all
        yield Broken(world, vault, shop, Path(scratch))
    finally:
        world.steward("destroy", "--fleet", shop)
        world.steward("destroy", "--fleet", vault, "--delete-data", "vault-1-repositories")
        shutil.rmtree(scratch)
