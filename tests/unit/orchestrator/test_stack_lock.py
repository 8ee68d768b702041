"""One writer a stack, across processes, and never a lock without a living holder."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.stack_lock import stack_lock

_HOLDER = """
import sys, time
from pathlib import Path
from orchestrator.stack_lock import stack_lock
with stack_lock(Path(sys.argv[1]), "acme-demo", "up"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[bytes]:
    """Another process that has the stack acme-demo."""
    process = subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_the_second_is_refused_and_told_who_has_it(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    try:
        told = rf"acme-demo: another steward.*got steward up, process {holder.pid}, since 20"
        with pytest.raises(InputError, match=told), stack_lock(tmp_path, "acme-demo", "destroy"):
            pass
        with stack_lock(tmp_path, "acme-vault", "up"):
            pass
    finally:
        holder.kill()
        holder.communicate()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert (tmp_path / "locks" / "acme-demo.holder").exists(), "it had no time to tidy up"
    with stack_lock(tmp_path, "acme-demo", "up"):
        pass
    assert not (tmp_path / "locks" / "acme-demo.holder").exists()


def test_an_error_inside_gives_the_stack_back(tmp_path: Path) -> None:
    with pytest.raises(KeyError), stack_lock(tmp_path, "acme-demo", "up"):
        raise KeyError
    with stack_lock(tmp_path, "acme-demo", "up"):
        pass


@pytest.mark.parametrize("text", ["", "[]", "null", "5", '{"pid": 1}'])
def test_a_holder_that_left_no_word_is_told_as_such(tmp_path: Path, text: str) -> None:
    with stack_lock(tmp_path, "acme-demo", "up"):
        (tmp_path / "locks" / "acme-demo.holder").write_text(text)
        with (
            pytest.raises(InputError, match="has not said yet who it is"),
            stack_lock(tmp_path, "acme-demo", "up"),
        ):
            pass
