"""Fleets of one small server, which is quickly there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import BOX, TINY, World


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path]]:
    """A world with one small server's fleet, up; a test that changes it leaves it as `up` would."""
    world = World(tmp_path_factory.mktemp("box"))
    fleet = world.fleet("box.yaml", BOX)
    try:
        world.ok("up", "--fleet", fleet)
        yield world, fleet
    finally:
        world.ok("destroy", "--fleet", fleet)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[tuple[World, Path]]:
    """A world with one small server's fleet, not yet up; destroyed afterwards."""
    world = World(tmp_path)
    fleet = world.fleet("tiny.yaml", TINY)
    yield world, fleet
    world.fleet("tiny.yaml", TINY)
    done = world.steward("destroy", "--fleet", fleet)
    assert done.code == 0 or "no such stack" in done.err, done.all
