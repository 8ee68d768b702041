"""Two fleets like the example's that only these tests change by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Demo, up_and_proven

SHOP = {"client: acme": "client: e2e", "environment: demo": "environment: hand", "10.41.0": "10.69.0",
        "stack: acme-vault": "stack: e2e-handvault"}  # fmt: skip
VAULT = {"client: acme": "client: e2e", "environment: vault": "environment: handvault",
         "10.41.0.0/24": "10.69.0.0/24", "10.42.0": "10.68.0"}  # fmt: skip


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Vault and shop, up; destroyed at the end."""
    with up_and_proven(tmp_path_factory.mktemp("hand"), VAULT, SHOP) as made:
        assert made.first["shop"].code == 0, made.first["shop"].all
        yield made
