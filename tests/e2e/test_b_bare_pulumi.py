"""A person's own pulumi on a running fleet changes nothing, and cannot take its data."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.world import podman_objects

pytestmark = [pytest.mark.real, pytest.mark.e2e]


def test_a_bare_up_on_the_running_shop_changes_nothing(demo: Demo) -> None:
    done = demo.world.shell("pulumi up --yes", demo.shop)
    assert done.code == 0, done.all
    assert "unchanged" in done.out


def test_bare_destroy_cannot_take_the_data(demo: Demo) -> None:
    volumes = podman_objects()["volumes"]
    preview = demo.world.shell("pulumi destroy --preview-only", demo.shop)
    assert preview.code != 0
    assert "protect" in preview.all
    assert podman_objects()["volumes"] == volumes
