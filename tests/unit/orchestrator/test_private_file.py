"""Private files are whole or not there, and nobody else's to read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestrator.private_file import write_private


def test_mode_of_file_and_folder_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "acme-demo" / "passphrase"
    write_private(path, "one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_open_file_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text("old")
    path.chmod(0o644)
    with path.open() as reader:
        write_private(path, "new")
        assert reader.read() == "old", "who reads meanwhile sees the whole old file"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["passphrase"]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    write_private(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\udcff")
    assert path.read_text() == "old"
