"""STEWARD_HOME through its versions: backed up, migrated step by step, refused when newer."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.evidence.ledger import open_ledger
from orchestrator.settings import Settings
from orchestrator.state_folder import MIGRATIONS, VERSION, open_state, version_of
from tests.fakes import NOON


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache", project=tmp_path / "project")


@pytest.fixture
def old(settings: Settings) -> Path:
    """A folder as it was before it said a version, with a stack in it."""
    open_ledger(settings).create_stack("acme-demo", "acme", NOON)
    (settings.home / "version").unlink()
    keys = settings.stack_keys("acme-demo")
    keys.mkdir(parents=True)
    (keys / "passphrase").write_text("secret")
    (settings.home / "keys").chmod(0o755)
    return settings.home


def stacks(home: Path) -> list[tuple[str]]:
    with sqlite3.connect(home / "steward.db") as connection:
        return connection.execute("SELECT name FROM stacks").fetchall()


def test_a_new_folder_says_its_version_and_needs_no_backup(settings: Settings) -> None:
    open_ledger(settings)
    assert version_of(settings.home) == VERSION == max(MIGRATIONS)
    assert not (settings.home / "backups").exists()


def test_every_version_has_a_way_to_it() -> None:
    assert sorted(MIGRATIONS) == list(range(1, VERSION + 1))


def test_an_old_folder_is_backed_up_and_migrated(old: Path) -> None:
    assert version_of(old) == 0
    backup = open_state(old)
    assert version_of(old) == VERSION
    assert stat.S_IMODE((old / "keys").stat().st_mode) == 0o700
    assert backup is not None
    assert stacks(backup) == [("acme-demo",)]
    assert (backup / "keys" / "acme-demo" / "passphrase").read_text() == "secret"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert open_state(old) is None, "once is enough"


def test_a_migration_that_was_killed_is_done_again_and_the_others_are_not(old: Path) -> None:
    done: list[str] = []

    def second(home: Path) -> None:
        done.append("second")
        if len(done) < 3:
            raise KeyboardInterrupt
        (home / "made").touch()

    steps = {1: lambda _home: done.append("first"), 2: second}
    with pytest.raises(KeyboardInterrupt):
        open_state(old, steps)
    assert (version_of(old), done) == (1, ["first", "second"])
    open_state(old, steps)
    assert (version_of(old), done) == (2, ["first", "second", "second"])
    assert (old / "made").exists()
    assert len(list((old / "backups").iterdir())) == 2, "one before each attempt"


def test_a_folder_of_a_newer_steward_is_refused_and_left_alone(old: Path, settings: Settings) -> None:
    (old / "version").write_text(f"{VERSION + 1}\n")
    with pytest.raises(
        InputError, match=rf"newer Steward.*got version {VERSION + 1}. Use that newer Steward"
    ):
        open_ledger(settings)
    assert not (old / "backups").exists()
    assert stacks(old) == [("acme-demo",)]


@pytest.mark.parametrize("content", [b"one", b"", b"-1", b"\xff"])
def test_a_version_that_cannot_be_read_is_refused(old: Path, content: bytes) -> None:
    (old / "version").write_bytes(content)
    with pytest.raises(InputError, match="its version cannot be read"):
        open_state(old)


def test_what_cannot_be_backed_up_is_not_migrated(old: Path) -> None:
    (old / "backups").touch()
    with pytest.raises(InputError, match=r"cannot be backed up, so it stays at version 0"):
        open_state(old)
    assert version_of(old) == 0
