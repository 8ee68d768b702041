"""Which servers need which image, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from orchestrator.inventory.prepared import Contents
from orchestrator.inventory.roles import RoleCatalog
from orchestrator.phases.prepare import prepare, summary, wanted_images
from orchestrator.ports.images import PreparedImages
from orchestrator.reporting.model import Change
from tests.unit.orchestrator.samples import loaded

ROLES = RoleCatalog(Path(__file__).parents[4] / "playbooks" / "roles")


def change(op: Literal["create", "update", "replace", "delete"], name: str, kind: str = "server") -> Change:
    return Change(op=op, kind=kind, name=name, urn=f"urn::{name}")


def test_only_servers_that_will_be_made_need_one() -> None:
    changes = [
        change("create", "web-1"), change("replace", "db-1"),
        change("update", "web-2"), change("delete", "web-3"),
        change("create", "web-2", "firewall"), change("create", "gone-1"),
    ]  # fmt: skip
    found = wanted_images(loaded().fleet, changes, ROLES)
    assert list(found) == ["web-1", "db-1"]
    assert {"nginx", "debian-reference-en", "sudo"} <= found["web-1"].packages
    assert "nginx" not in found["db-1"].packages
    assert "libllvm14" in found["db-1"].packages


def test_equal_servers_need_the_same_one() -> None:
    found = wanted_images(loaded().fleet, [change("create", "web-1"), change("create", "web-2")], ROLES)
    assert len(set(found.values())) == 1


class Images:
    def prepare(self, wanted: Mapping[str, Contents]) -> PreparedImages:
        return PreparedImages(there=1, problems=("disk full",))


def test_what_could_not_be_prepared_is_told_in_one_line_each() -> None:
    said: list[str] = []
    done = prepare({}, Images(), said.append)
    assert said == ["no prepared image, so each server installs its packages itself: disk full"]
    assert summary(done) == "prepared images: 1 was there; disk full"
    assert summary(PreparedImages(2, 1)) == "prepared images: 1 made, 2 were there"
