"""Keys and credentials on disk: each step is one rename, and what is there says how far a rotation came."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestrator.provisioning.credentials import ensure_admin_key
from orchestrator.provisioning.key_ring import FileKeyRing
from orchestrator.repository_keys import RepositoryKeys
from tests.fakes import NOON


def test_a_key_comes_is_used_and_goes(tmp_path: Path) -> None:
    first = ensure_admin_key(tmp_path, "acme-demo").public_text()
    ring = FileKeyRing(tmp_path, "acme-demo")
    assert ring.current().public == first
    assert ring.retiring() is None
    coming = ring.prepare()
    assert ring.prepare() == coming
    assert ring.current().public == first
    ring.promote()
    retiring = ring.retiring()
    assert retiring is not None
    assert (ring.current().public, retiring.public) == (coming.public, first)
    assert ensure_admin_key(tmp_path, "acme-demo").public_text() == coming.public
    for path in (tmp_path / "ssh").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ring.forget_retiring()
    assert ring.retiring() is None
    assert sorted(path.name for path in (tmp_path / "ssh").iterdir()) == ["id_ed25519", "id_ed25519.pub"]


def test_a_stop_between_the_two_names_is_no_rotation_that_came_to_its_switch(tmp_path: Path) -> None:
    ensure_admin_key(tmp_path, "acme-demo")
    ring = FileKeyRing(tmp_path, "acme-demo")
    ring.prepare()
    private = tmp_path / "ssh" / "id_ed25519"
    private.with_name("id_ed25519.retiring").hardlink_to(private)
    assert ring.retiring() is None
    ring.promote()
    assert ring.retiring() is not None


def test_credentials_come_are_used_and_go(tmp_path: Path) -> None:
    keys = RepositoryKeys(tmp_path, "acme-vault")
    old = keys.create("a" * 32, "web-1", "acme-demo", NOON)
    assert old.http_user == "a" * 32
    coming = keys.prepare(old.id, NOON)
    assert keys.prepare(old.id, NOON) == coming
    assert keys.load(old.id) == old
    assert keys.retiring(old.id) is None
    keys.promote(old.id, "b" * 64)
    assert keys.load(old.id) == coming
    retiring = keys.retiring(old.id)
    assert retiring is not None
    assert (retiring.password, retiring.key) == (old.password, "b" * 64)
    assert [path.name for path in (tmp_path / "repositories").iterdir()] == [f"{old.id}.json"]
    keys.forget_retiring(old.id)
    assert keys.retiring(old.id) is None
    with pytest.raises(Exception, match="are not here"):
        keys.prepare("c" * 32, NOON)
