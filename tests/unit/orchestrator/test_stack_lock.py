"""One writer a stack, across processes, and never a lock without a living holder."""

from __future__ import annotations

import getpass
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.stack_lock import Holder, stack_lock

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
        told = (
            rf"acme-demo: another steward.*got steward up, process {holder.pid} of {getpass.getuser()} on "
            rf".*, since 20.*kill -INT {holder.pid}"
        )
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
    said: list[str] = []
    with stack_lock(tmp_path, "acme-demo", "up", said.append) as left:
        assert left is not None
        assert left.pid == holder.pid
    assert not (tmp_path / "locks" / "acme-demo.holder").exists()
    assert said == [f"acme-demo: broke the lock of a dead {left}; no process {holder.pid} runs any more"]
    with stack_lock(tmp_path, "acme-demo", "up", said.append) as left:
        assert left is None
    assert len(said) == 1


@pytest.mark.parametrize(
    ("changed", "proof"),
    [
        ({}, ""),
        ({"boot_id": "another"}, "this machine was started anew since"),
        ({"start_ticks": 1}, "is another one by now: it began later"),
        ({"machine": "elsewhere", "boot_id": "another"}, ""),
    ],
)
def test_death_needs_proof(tmp_path: Path, changed: dict[str, object], proof: str) -> None:
    """A process number is given again, so it proves nothing without boot and start time."""
    with stack_lock(tmp_path, "acme-demo", "up"):
        told = json.loads((tmp_path / "locks" / "acme-demo.holder").read_text())
    found = Holder.model_validate(told | changed).proof_of_death()
    assert found.endswith(proof)
    assert bool(found) == bool(proof)


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
