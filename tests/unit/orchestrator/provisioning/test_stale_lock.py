"""A Pulumi lock is broken only when its holder is dead, and that can be known."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.provisioning.stale_lock import break_dead_locks


def dead_pid() -> int:
    """The number of a process that is over."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def lock(backend: Path, pid: int, host: str = "") -> Path:
    """A lock file as Pulumi writes it."""
    folder = backend / ".pulumi" / "locks" / "organization" / "steward" / "acme-demo"
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "pid": pid,
        "username": "anna",
        "hostname": host or socket.gethostname(),
        "timestamp": "2026-11-22",
    }
    path = folder / f"{pid}.json"
    path.write_text(json.dumps(told))
    return path


def test_a_dead_holders_lock_is_broken_and_told(tmp_path: Path) -> None:
    path = lock(tmp_path, dead_pid())
    (told,) = break_dead_locks(tmp_path, "steward", "acme-demo")
    assert told.startswith("broke the lock of a dead pulumi")
    assert "anna" in told
    assert not path.exists()


def test_a_living_holders_lock_stays(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with subprocess.Popen([str(program), "30"]) as process:
        path = lock(tmp_path, process.pid)
        deadline = time.monotonic() + 10
        while Path(f"/proc/{process.pid}/comm").read_text() != "pulumi\n" and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            assert break_dead_locks(tmp_path, "steward", "acme-demo") == []
        finally:
            process.kill()
    assert path.exists()


def test_a_pulumi_of_that_number_which_began_later_is_no_holder(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with subprocess.Popen([str(program), "30"]) as process:
        path = lock(tmp_path, process.pid)
        path.write_text(path.read_text().replace("2026-11-22", "2020-01-01T00:00:00.123456789Z"))
        try:
            deadline = time.monotonic() + 10
            while Path(f"/proc/{process.pid}/comm").read_text() != "pulumi\n" and time.monotonic() < deadline:
                time.sleep(0.01)
            (told,) = break_dead_locks(tmp_path, "steward", "acme-demo")
        finally:
            process.kill()
    assert told.endswith("is another pulumi, which began after the lock was taken")
    assert not path.exists()


def test_a_lock_of_another_machine_stays(tmp_path: Path) -> None:
    path = lock(tmp_path, dead_pid(), "elsewhere")
    assert break_dead_locks(tmp_path, "steward", "acme-demo") == []
    assert path.exists()


def test_another_stacks_lock_is_not_looked_at_and_a_broken_file_is_told(tmp_path: Path) -> None:
    path = lock(tmp_path, dead_pid())
    assert break_dead_locks(tmp_path, "steward", "acme-other") == []
    path.write_text("{")
    with pytest.raises(InputError, match="pulumi cancel"):
        break_dead_locks(tmp_path, "steward", "acme-demo")
