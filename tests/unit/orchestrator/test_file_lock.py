"""A lock between processes: one has it, others wait or are refused, and nobody keeps it in death."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from threading import Thread
from time import sleep

import pytest

from orchestrator.file_lock import HeldError, file_lock

_HOLDER = """
import sys, time
from pathlib import Path
from orchestrator.file_lock import file_lock
with file_lock(Path(sys.argv[1]), 0):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_another_process_is_kept_out_until_its_holder_dies(path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(HeldError, match=str(path)), file_lock(path, 0.1):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with file_lock(path, 0):
        pass


def test_threads_of_one_process_keep_each_other_out_and_one_who_waits_gets_it(path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with file_lock(path, 10):
            order.append("second")

    with file_lock(path, 0):
        waiting = Thread(target=second)
        waiting.start()
        sleep(0.2)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_it_is_given_back_after_an_error_and_the_file_stays_private_and_as_it_was(path: Path) -> None:
    path.write_text("kept")
    path.chmod(0o600)
    with pytest.raises(ZeroDivisionError), file_lock(path, 0):
        raise ZeroDivisionError
    with file_lock(path, 0):
        assert path.read_text() == "kept"
    with file_lock(path.with_name("new"), 0):
        pass
    assert stat.S_IMODE(path.with_name("new").stat().st_mode) == 0o600


def test_a_child_that_lives_on_does_not_keep_it(path: Path) -> None:
    with file_lock(path, 0):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with file_lock(path, 0):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_link_in_its_place_is_not_followed(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(OSError, match="symbolic links"), file_lock(path, 0):
        pass
    assert not path.with_name("elsewhere").exists()
