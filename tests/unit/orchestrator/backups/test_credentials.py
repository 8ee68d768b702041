"""Repository credentials: kept privately, read back whole, and never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestrator.backups.credentials import credentials_path
from orchestrator.backups.restic import init_argv, repository_files, repository_url
from orchestrator.errors import InputError
from orchestrator.repository_keys import RepositoryKeys
from tests.fakes import NOON

ID = "ab" * 16


def test_made_once_and_read_back(tmp_path: Path) -> None:
    keeper = RepositoryKeys(tmp_path / "keys", "acme-vault")
    assert keeper.load(ID) is None
    made = keeper.create(ID, "db-1", "acme-demo", NOON)
    assert keeper.load(ID) == made
    assert made.password != made.http_password
    assert made.password not in repr(made)
    assert made.http_password not in str(made)
    path = Path(keeper.place(ID))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name], "no draft stays behind"


def test_every_repository_gets_its_own(tmp_path: Path) -> None:
    keeper = RepositoryKeys(tmp_path, "acme-vault")
    passwords = {keeper.create(f"{n:032x}", "db-1", "acme-demo", NOON).password for n in range(5)}
    assert len(passwords) == 5


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": "steward.repository/2"}'])
def test_an_unreadable_file_is_named_and_never_replaced(tmp_path: Path, text: str) -> None:
    path = credentials_path(tmp_path, ID)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InputError, match="Restore the file from your backup of STEWARD_HOME"):
        RepositoryKeys(tmp_path, "acme-vault").load(ID)
    assert path.read_text() == text


def test_restic_gets_its_password_by_file() -> None:
    argv = init_argv(Path("/t/restic"), Path("/r"), Path("/p"))
    assert argv == ["/t/restic", "init", "--quiet", "--repo", "/r", "--password-file", "/p"]


def test_a_fresh_repository_is_its_configuration_and_its_keys(tmp_path: Path) -> None:
    for name in ("keys", "locks"):
        (tmp_path / name).mkdir()
    for name in ("config", "keys/b", "keys/a", "locks/x"):
        (tmp_path / name).write_text("x")
    assert list(repository_files(tmp_path)) == ["config", "keys/a", "keys/b"]
    assert repository_url("10.42.0.2", 8443, ID) == f"https://10.42.0.2:8443/{ID}/"
