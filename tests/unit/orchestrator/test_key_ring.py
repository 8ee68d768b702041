"""Keys and credentials on disk: each step is one rename, and what is there says how far a rotation came."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestrator.provisioning.credentials import admin_key, ensure_admin_key
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
    kept = ["id_ed25519.second", "id_ed25519.second.pub", "in-use"]
    assert sorted(path.name for path in (tmp_path / "ssh").iterdir()) == kept


def test_no_file_ever_holds_another_key(tmp_path: Path) -> None:
    ensure_admin_key(tmp_path, "acme-demo")
    ring = FileKeyRing(tmp_path, "acme-demo")
    first = ring.current()
    second = ring.prepare()
    ring.promote()
    assert ring.current() == second
    assert ring.retiring() == first
    assert admin_key(tmp_path).places == (second.private, first.private)
    ring.forget_retiring()
    third = ring.prepare()
    assert third.private == first.private
    assert third.public not in (first.public, second.public)


def test_a_stop_after_the_end_of_a_key_leaves_none_that_retires(tmp_path: Path) -> None:
    ensure_admin_key(tmp_path, "acme-demo")
    ring = FileKeyRing(tmp_path, "acme-demo")
    ring.prepare()
    ring.promote()
    current = ring.current()
    (tmp_path / "ssh" / "id_ed25519").unlink()
    assert ring.retiring() is None
    coming = ring.prepare()
    assert ring.retiring() is None
    assert (ring.current(), ring.prepare()) == (current, coming)


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
