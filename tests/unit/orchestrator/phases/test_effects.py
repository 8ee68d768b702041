"""Which services a change interrupts, and which data goes with it."""

from __future__ import annotations

from typing import Any

from orchestrator.phases.effects import NO_SNAPSHOT, losing, with_effects, with_saved
from orchestrator.reporting.model import Change
from tests.unit.orchestrator.samples import FLEET, fleet

WINDOW = FLEET.replace(
    "servers: [web, db]}", 'servers: [web, db], maintenance: {window: "Sun 02:00-04:00", timezone: UTC}}'
)


def change(op: Any, kind: str, name: str) -> Change:
    return Change(op=op, kind=kind, name=name, urn=name, server=name[:4])


def test_a_server_that_goes_interrupts_its_services_in_their_window() -> None:
    (found,) = with_effects(fleet(WINDOW), [change("replace", "server", "db-1")])
    assert [(each.service, each.window) for each in found.interrupts] == [("shop", "Sun 02:00-04:00 UTC")]
    (gone,) = with_effects(fleet(), [change("delete", "server", "web-3")])  # the fleet no longer has it
    assert [(each.service, each.window) for each in gone.interrupts] == [("shop", "")]
    (made,) = with_effects(fleet(), [change("update", "server", "db-1")])
    assert made.interrupts == []


def test_data_goes_with_volumes_and_buckets_that_are_deleted_or_replaced() -> None:
    changes = [
        change(op, kind, "db-1-data")
        for op in ("create", "update", "replace", "delete")
        for kind in ("volume", "server")
    ]
    lost = losing(with_effects(fleet(), changes))
    assert [(each.op, each.kind) for each in lost] == [("replace", "volume"), ("delete", "volume")]


def test_the_age_of_the_newest_snapshot_is_told_or_why_none_is_known() -> None:
    changes = with_effects(fleet(), [change("delete", "volume", "db-1-data")])
    (saved,) = with_saved(changes, {"db-1": 60.0})
    assert saved.loses is not None
    assert (saved.loses.saved_seconds, saved.loses.note) == (60.0, "")
    (unsaved,) = with_saved(changes, {"web-1": 60.0})
    assert unsaved.loses is not None
    assert (unsaved.loses.saved_seconds, unsaved.loses.note) == (None, NO_SNAPSHOT)
    (deaf,) = with_saved(changes, {}, "the vault could not be asked: gone")
    assert deaf.loses is not None
    assert deaf.loses.note == "the vault could not be asked: gone"
