"""The layout of STEWARD_HOME: which version it has, and the way from an older one, with a backup first."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from orchestrator.errors import InputError
from orchestrator.file_lock import HeldError, file_lock
from orchestrator.private_file import write_private

VERSION: Final = 1
VERSION_FILE: Final = "version"
_LEDGER: Final = "steward.db"
_KEPT: Final = ("pulumi", "keys", "converged", "evidence")
"""What a backup takes besides the ledger: all that exists nowhere else. Records of runs only ever grow."""
_WAIT_SECONDS: Final = 60

Migration = Callable[[Path], None]
"""Brings the folder to the next version; killed half-way, it is run again from its beginning."""


def _make_private(home: Path) -> None:
    """Version 1 began to be written down; what was made before it may have the mode of somebody's umask."""
    for folder in (home / name for name in _KEPT):
        if folder.is_dir():
            folder.chmod(0o700)


MIGRATIONS: Final[Mapping[int, Migration]] = {1: _make_private}
"""By the version that each leads to."""


def open_state(home: Path, migrations: Mapping[int, Migration] = MIGRATIONS) -> Path | None:
    """Bring the folder to the newest version of `migrations`; returns the backup that was taken, if any.

    Raises InputError for a folder of a newer Steward, which stays as it is.
    """
    newest = max(migrations)
    if version_of(home) == newest:
        return None
    try:
        with file_lock(home / "migration.lock", _WAIT_SECONDS):
            return _migrate(home, migrations, newest)
    except HeldError as problem:
        raise InputError(
            "STEWARD_HOME", "another steward brings it to a newer version", place=str(home),
            next_step="Wait until that ends.",
        ) from problem  # fmt: skip


def version_of(home: Path) -> int | None:
    """The version that the folder says it has: None for a new one, 0 for one from before versions."""
    try:
        text = (home / VERSION_FILE).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return 0 if (home / _LEDGER).exists() else None
    except (OSError, UnicodeDecodeError) as problem:
        raise _unreadable(home, str(problem)) from problem
    if not text.isascii() or not text.isdigit():
        raise _unreadable(home, text[:40])
    return int(text)


def _migrate(home: Path, migrations: Mapping[int, Migration], newest: int) -> Path | None:
    found = version_of(home)
    if found is None or found == newest:
        write_private(home / VERSION_FILE, f"{newest}\n")
        return None
    if found > newest:
        raise InputError(
            "STEWARD_HOME", "was written by a newer Steward", place=str(home / VERSION_FILE),
            got=f"version {found}", rule=f"version {newest} at most", next_step="Use that newer Steward.",
        )  # fmt: skip
    backup = _back_up(home, found)
    for version in range(found + 1, newest + 1):
        migrations[version](home)
        write_private(home / VERSION_FILE, f"{version}\n")
    return backup


def _back_up(home: Path, version: int) -> Path:
    """A copy of everything that a migration could lose, whole or not at all."""
    folder = home / "backups"
    draft = folder / ".draft"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        for name in _KEPT:
            if (home / name).is_dir():
                shutil.copytree(home / name, draft / name, symlinks=True)
        if (home / _LEDGER).exists():
            copy_database(home / _LEDGER, draft / _LEDGER)
        if (home / VERSION_FILE).exists():
            shutil.copy2(home / VERSION_FILE, draft / VERSION_FILE)
    except (OSError, shutil.Error, sqlite3.Error) as problem:
        raise InputError(
            "STEWARD_HOME", f"cannot be backed up, so it stays at version {version}: {problem}",
            place=str(folder), next_step="Make room there, then run the same command again.",
        ) from problem  # fmt: skip
    kept = folder / f"v{version}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    draft.rename(kept)
    return kept


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of an SQLite file, also while others write; raises sqlite3.Error."""
    target.touch(mode=0o600)
    reader, writer = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reader.backup(writer)
    finally:
        reader.close()
        writer.close()


def _unreadable(home: Path, got: str) -> InputError:
    return InputError(
        "STEWARD_HOME", "its version cannot be read", place=str(home / VERSION_FILE), got=got,
        rule="a whole number", next_step="Restore the file from your backup of STEWARD_HOME.",
    )  # fmt: skip
