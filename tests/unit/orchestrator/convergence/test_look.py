"""The look at a host, on folders of the test: every change that matters changes the digest."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.convergence import look


def add(root: Path) -> None:
    (root / "new").write_text("")


def edit(root: Path) -> None:
    (root / "file").write_text("other")


def chmod(root: Path) -> None:
    (root / "file").chmod(0o600)


def remove(root: Path) -> None:
    (root / "file").unlink()


def relink(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("/elsewhere")


def touch_large(root: Path) -> None:
    os.utime(root / "large", (1, 1))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("text")
    (tmp_path / "file").chmod(0o644)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "large").write_bytes(b"\0" * (look.LARGE + 1))
    return tmp_path


@pytest.mark.parametrize("change", [add, edit, chmod, remove, relink, touch_large])
def test_a_change_is_seen(root: Path, change: Callable[[Path], None]) -> None:
    before = look.digest(look.tree(str(root)))
    assert look.digest(look.tree(str(root))) == before
    change(root)
    assert look.digest(look.tree(str(root))) != before


def test_names_that_are_no_utf8_do_not_stop_it(root: Path) -> None:
    before = look.digest(look.tree(str(root)))
    Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe\n")).write_text("")
    assert look.digest(look.tree(str(root))) != before


def test_a_program_that_fails_is_part_of_the_state() -> None:
    assert look.said("false") == "exit 1"
    assert look.said("echo", "x") == "x\n"
