"""The look at a host, run on this machine: it ends by itself and speaks the agreed document."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from orchestrator.diagnosis import look
from orchestrator.diagnosis.sight import read_sight


def test_it_answers_in_the_agreed_form_whatever_this_machine_is() -> None:
    script = files("orchestrator.diagnosis").joinpath("look.py").read_text()
    done = subprocess.run(
        [sys.executable, "-", "no-such.service"],
        input=script,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = read_sight(done.stdout)
    assert found.disks[0].mount == "/"
    assert found.disks[0].total > 0
    assert "no-such.service" not in [unit.name for unit in found.units]


def test_the_holder_of_a_lock_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = tmp_path / "lock-frontend"
    program = "import fcntl,sys; f=open(sys.argv[1],'a'); fcntl.lockf(f,fcntl.LOCK_EX); print('held',flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with held.open("a") as mine, pytest.raises(BlockingIOError):
            fcntl.lockf(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        monkeypatch.setattr(look, "LOCKS", (str(held), str(tmp_path / "absent")))
        (found,) = look.locks()
        assert (found["pid"], found["path"]) == (holder.pid, str(held))
        assert found["program"].startswith("python")
        assert 0 <= found["seconds"] < 60
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait(timeout=10)
    assert list(look.locks()) == []
