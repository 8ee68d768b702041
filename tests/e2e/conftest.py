"""The world that the end-to-end tests share: brought up once, taken down by the last test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.world import SHOP, VAULT, Outcome, World, podman_objects


@dataclass
class Demo:
    """The two fleets after their first `up`, and what that said."""

    world: World
    vault: Path
    shop: Path
    first: dict[str, Outcome]
    before: dict[str, set[str]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Vault and shop, up and proven; whatever a failing test leaves is destroyed at the end."""
    with up_and_proven(tmp_path_factory.mktemp("e2e"), VAULT, SHOP) as made:
        yield made


@contextmanager
def up_and_proven(folder: Path, vault: Mapping[str, str], shop: Mapping[str, str]) -> Iterator[Demo]:
    """The example's two fleets with these changes, from nothing to their first report."""
    world = World(folder)
    made = Demo(
        world, world.example("vault.yaml", vault), world.example("demo.yaml", shop), {}, podman_objects()
    )
    try:
        made.first["vault"] = world.ok("up", "--fleet", made.vault)
        made.first["shop"] = world.steward("up", "--fleet", made.shop)
        yield made
    finally:
        world.steward("destroy", "--fleet", made.shop, "--delete-data", "db-1-data")
        world.steward("destroy", "--fleet", made.vault, "--delete-data", "vault-1-repositories")
