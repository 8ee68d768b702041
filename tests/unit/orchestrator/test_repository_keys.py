"""Credentials of repositories on disk: everybody's are found, and whom a vault lets in is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.repository_keys import RepositoryKeys
from tests.fakes import NOON

OLD, OTHER = "0d" * 16, "0e" * 16


def test_all_of_a_vault_are_found_and_guests_are_none_of_them(tmp_path: Path) -> None:
    keys = RepositoryKeys(tmp_path, "acme-vault")
    owner = keys.create(OLD, "web-1", "acme-demo", NOON)
    keys.create(OTHER, "box-1", "acme-lab", NOON)
    guest = keys.guest(OLD, NOON)
    assert guest.http_user not in (OLD, owner.http_user)
    assert guest.password != owner.password
    keys.keep_lent(guest)
    assert [each.id for each in keys.all()] == [OLD, OTHER]
    assert keys.load(OLD) == owner
    again = RepositoryKeys(tmp_path, "acme-vault")  # as after a kill
    assert again.lent("acme-demo") == [guest]
    assert again.lent("acme-lab") == []
    (path,) = (tmp_path / "lent").rglob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    again.forget_lent(OLD)
    again.forget_lent(OLD)
    assert again.lent("acme-demo") == []


def test_nobody_is_let_into_a_repository_whose_credentials_are_gone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="are not here"):
        RepositoryKeys(tmp_path, "acme-vault").guest(OLD, NOON)
