"""A full disk of the control machine: refused before, and written to the end in the middle."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple

import pytest

from orchestrator import room
from orchestrator.errors import InputError
from orchestrator.room import LEAST_BYTES, full, is_full, require_room, set_aside, with_reserve


class Usage(NamedTuple):
    """As `shutil.disk_usage` answers."""

    total: int
    used: int
    free: int


NO_SPACE = OSError(errno.ENOSPC, "No space left on device", "/home/x/report.json")


def test_too_little_room_is_refused_with_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: Usage(64 << 20, 61 << 20, 3 << 20))
    with pytest.raises(
        InputError, match=r"its disk is too full for a run.*at least 32 MiB.*got 3 MiB free.*Free space there"
    ):
        require_room(tmp_path)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: Usage(1 << 30, 0, LEAST_BYTES))
    require_room(tmp_path)


def test_a_home_that_is_not_there_yet_is_judged_by_the_disk_it_will_lie_on(tmp_path: Path) -> None:
    require_room(tmp_path / "not" / "yet")


def test_the_reserve_is_real_and_given_back_for_the_last_words(tmp_path: Path) -> None:
    set_aside(tmp_path)
    kept = tmp_path / "reserve"
    assert kept.stat().st_blocks * 512 >= 4 << 20, "a sparse file reserves nothing"
    tries: list[bool] = []

    def write() -> str:
        tries.append(kept.exists())
        if kept.exists():
            raise NO_SPACE
        return "written"

    assert with_reserve(tmp_path, write) == "written"
    assert tries == [True, False]
    set_aside(tmp_path)
    assert kept.exists(), "the next run sets it aside again"


def test_without_a_reserve_or_for_another_reason_the_error_passes(tmp_path: Path) -> None:
    def write() -> None:
        raise NO_SPACE

    with pytest.raises(OSError, match="No space left"):
        with_reserve(tmp_path, write)
    set_aside(tmp_path)

    def refuse() -> None:
        raise PermissionError(errno.EACCES, "no")

    with pytest.raises(PermissionError):
        with_reserve(tmp_path, refuse)
    assert (tmp_path / "reserve").exists()


def test_what_a_person_reads_names_the_place_and_the_next_step() -> None:
    assert is_full(NO_SPACE)
    assert not is_full(OSError(errno.EIO, "broken"))
    assert str(full(NO_SPACE)) == (
        "this machine: /home/x/report.json: its disk is full, so not everything could be written. "
        "Free space there, then run this again: it goes on where it ended."
    )
