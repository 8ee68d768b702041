"""Whose backups lie in a vault."""

from __future__ import annotations

from orchestrator.backups.credentials import make_credentials
from orchestrator.backups.holdings import holdings, told
from orchestrator.ports.backups import Receipt
from tests.fakes import NOON


def test_all_incarnations_of_a_server_are_told_as_one() -> None:
    owners = [
        make_credentials(repository * 16, server, stack, "acme-vault", NOON)
        for repository, server, stack in (
            ("01", "web-1", "acme-shop"),
            ("02", "web-1", "acme-shop"),
            ("03", "web-2", "acme-shop"),
            ("04", "box-1", "acme-lab"),
        )
    ]
    receipts = [Receipt("01" * 16, "a" * 64, NOON, 1), Receipt("02" * 16, "b" * 64, NOON, 1)]
    assert told(holdings(owners, [*receipts, Receipt("04" * 16, "c" * 64, NOON, 1)])) == [
        "acme-lab: box-1 1 snapshot, newest 2026-11-22 12:00 UTC",
        "acme-shop: web-1 2 snapshots, newest 2026-11-22 12:00 UTC; web-2 no snapshot",
    ]
