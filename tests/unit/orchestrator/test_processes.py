"""Which process is which, asked of this machine's own."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta

from orchestrator.processes import boot_id, name_of, start_ticks, started_at


def test_a_living_process_has_a_start_that_stays() -> None:
    first = start_ticks(os.getpid())
    assert first is not None
    assert first == start_ticks(os.getpid())
    assert name_of(os.getpid())
    assert len(boot_id()) == 36


def test_one_that_begins_now_began_now() -> None:
    with subprocess.Popen(["sleep", "30"]) as process:
        began = started_at(process.pid)
        process.kill()
    assert began is not None
    assert abs(datetime.now(UTC) - began) < timedelta(seconds=5)


def test_one_that_is_over_has_none() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert start_ticks(process.pid) is None
    assert started_at(process.pid) is None
    assert name_of(process.pid) == ""


def test_a_zombie_is_over() -> None:
    process = subprocess.Popen(["true"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()  # its end closes the pipe, and nobody has waited for it yet
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert start_ticks(process.pid) is None
    process.wait()
