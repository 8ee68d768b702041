"""Which servers may be patched now, and what is said about the others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.errors import InputError
from orchestrator.patching.order import closed_for, patch_order, summary
from tests.unit.orchestrator.samples import HEAD, fleet, server

FLEET = (
    HEAD
    + """\
services:
  shop: {purpose: x, owner: a@b.example, maintenance: {window: "Sun 02:00-04:00"}, servers: [web, db]}
  mail: {purpose: x, owner: a@b.example, maintenance: {window: "Wed 02:00-04:00"}, servers: [mx, db]}
  idle: {purpose: x, owner: a@b.example, servers: [box]}
servers:
  web: {size: small, network: app, count: 2}
  db: {size: small, network: app}
  mx: {size: small, network: app}
  box: {size: small, network: app}
"""
)
SERVERS = [server(name) for name in ("web-1", "web-2", "db-1", "mx-1", "box-1")]
WEDNESDAY, SUNDAY = datetime(2026, 11, 25, 3, tzinfo=UTC), datetime(2026, 11, 29, 3, tzinfo=UTC)


def names(order: object) -> list[str]:
    return [each.name for each in order.servers]  # type: ignore[attr-defined]


def test_servers_wait_until_all_their_services_may_be_interrupted() -> None:
    wednesday = patch_order(fleet(FLEET), SERVERS, WEDNESDAY, (), now=False)
    assert names(wednesday) == ["mx-1", "box-1"]  # box serves nobody who was promised a window
    assert {name: closed.service for name, closed in wednesday.waiting.items()} == dict.fromkeys(
        ("web-1", "web-2", "db-1"), "shop"
    )
    assert "web-1 waits: service shop may be interrupted Sun 2026-11-29 02:00-04:00 UTC" in summary(wednesday)
    assert names(patch_order(fleet(FLEET), SERVERS, SUNDAY, (), now=False)) == ["web-1", "web-2", "box-1"]
    found = closed_for(fleet(FLEET), "db", SUNDAY)
    assert found is not None
    assert found.service == "mail"


@pytest.mark.parametrize("wanted", [("web-1",), ("web-1", "mx-1")])
def test_a_named_server_outside_of_its_window_is_refused_with_the_next_one(wanted: tuple[str, ...]) -> None:
    with pytest.raises(
        InputError, match=r"outside of its maintenance window.*2026-11-29 02:00-04:00 UTC.*--now"
    ):
        patch_order(fleet(FLEET), SERVERS, WEDNESDAY, wanted, now=False)


def test_no_server_at_all_is_refused() -> None:
    with pytest.raises(InputError, match=r"outside of its maintenance window"):
        patch_order(fleet(FLEET), SERVERS[:3], WEDNESDAY, (), now=False)


def test_now_passes_over_windows_and_says_so() -> None:
    order = patch_order(fleet(FLEET), SERVERS, WEDNESDAY, ("web-1", "web-2"), now=True)
    assert names(order) == ["web-1", "web-2"]
    assert "web-1, web-2 now, by --now, though service shop" in summary(order)
