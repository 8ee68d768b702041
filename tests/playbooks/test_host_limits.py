"""Time limits of the host's restic, and a vault that does not answer."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FILES = Path(__file__).parents[2] / "playbooks" / "roles" / "backup" / "files"


@pytest.fixture(autouse=True, scope="module")
def on_path() -> Iterator[None]:
    """Import the package as a host does, from the folder it lies in."""
    sys.path.insert(0, str(FILES))
    yield
    sys.path.remove(str(FILES))


def test_a_front_that_is_away_is_named_with_the_next_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from steward_backup import errors, front

    monkeypatch.setattr(front, "PAUSE", 0.01)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        port = taken.getsockname()[1]
        with pytest.raises(errors.BackupError) as told:
            front.check(repository(f"https://127.0.0.1:{port}/{'f' * 32}/"))
    assert f"the vault at 127.0.0.1:{port} does not answer (Connection refused)" in str(told.value)
    assert "steward up of the vault's own fleet" in str(told.value)
    with socket.create_server(("127.0.0.1", 0)) as there:
        front.check(repository(f"https://127.0.0.1:{there.getsockname()[1]}/{'f' * 32}/"))


@pytest.mark.parametrize(
    ("limit", "quiet", "told"),
    [(60.0, 0.3, "made no progress for 0 s"), (0.3, None, "did not end within 0 s")],
)
def test_a_program_that_is_late_is_ended(
    monkeypatch: pytest.MonkeyPatch, limit: float, quiet: float | None, told: str
) -> None:
    from steward_backup import errors, process, watch

    monkeypatch.setattr(watch, "LOOKS", 0.05)
    argv = ["/bin/sh", "-c", "exec sleep 100"]
    with process.start(argv, env={}, stdout=subprocess.PIPE) as child:
        with (
            pytest.raises(errors.BackupError, match=told),
            watch.Watch("restic", child.running, limit, quiet),
        ):
            child.running.wait()
        assert child.running.returncode == -signal.SIGTERM


def test_a_program_that_makes_progress_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from steward_backup import process, watch

    monkeypatch.setattr(watch, "LOOKS", 0.05)
    argv = ["/bin/sh", "-c", "for n in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.25; done"]
    with (
        process.start(argv, env={"PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE) as child,
        watch.Watch("restic", child.running, 60.0, 1.5) as limits,
    ):
        for _ in child.running.stdout or ():
            limits.moved()
        assert child.running.wait() == 0


def repository(url: str) -> Any:
    """A host's repository at an address."""
    from steward_backup.settings import Repository

    return Repository(url, "u", "f" * 32, "p", 5432, 60.0, 60.0)
