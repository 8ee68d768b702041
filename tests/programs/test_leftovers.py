"""Ending leftovers: the very script that runs on hosts, run here against real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from orchestrator.errors import ToolError
from orchestrator.leftovers import _SCRIPT, end_leftovers
from tests.fakes import FakeShell
from tests.unit.orchestrator.samples import server

RUN = f"TESTRUN{os.getpid()}"


@pytest.fixture
def sleepers() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Two of the run, of which one ignores TERM, one of another run, one whose id only begins like ours."""
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    programs = {
        "ours": (RUN, ["sleep", "60"]),
        "stubborn": (RUN, [sys.executable, "-c", stubborn]),
        "other": ("ANOTHER", ["sleep", "60"]),
        "longer": (RUN + "X", ["sleep", "60"]),
    }
    started = {
        name: subprocess.Popen(argv, env={**os.environ, "STEWARD_RUN": run}, stdout=subprocess.PIPE)
        for name, (run, argv) in programs.items()
    }
    ready = started["stubborn"].stdout
    assert ready is not None
    ready.readline()
    yield started
    for process in started.values():
        process.kill()
        process.communicate()


def test_only_the_runs_own_processes_end(sleepers: dict[str, subprocess.Popen[bytes]]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, RUN], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "2"
    assert sleepers["ours"].wait(5) == -15
    assert sleepers["stubborn"].wait(5) == -9
    assert sleepers["other"].poll() is None
    assert sleepers["longer"].poll() is None


def test_nothing_to_end_is_quick_and_no_error() -> None:
    argv = [sys.executable, "-c", _SCRIPT, RUN + "-nobody"]
    assert subprocess.run(argv, capture_output=True, text=True, check=True, timeout=5).stdout.strip() == "0"


def test_a_host_that_cannot_be_reached_does_not_keep_the_others() -> None:
    shell = FakeShell({"web-1:": ToolError("web-1", "SSH failed"), "web-2:": "1"})
    problems = end_leftovers(shell, [server("web-1"), server("web-2")], RUN)
    assert problems == ["web-1: SSH failed."]
    assert any(line.startswith("web-2: sudo -n python3") and line.endswith(RUN) for line in shell.asked)
