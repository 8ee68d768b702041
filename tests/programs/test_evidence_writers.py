"""Writers in other processes, paused, killed anywhere or many at once: the chain stays whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.clock import SystemClock
from orchestrator.evidence.writer import open_writer
from tests.unit.orchestrator.evidence.chains import BY, CLIENT_ID, Bench, bench_at
from tests.unit.orchestrator.evidence.test_writer import END, append

OTHER = """
import sys, time
from pathlib import Path
from orchestrator.clock import SystemClock
from orchestrator.errors import ToolError
from orchestrator.evidence.folder import EvidenceFolder
from orchestrator.evidence.writer import RunEnd, open_writer
from tests.unit.orchestrator.evidence.test_writer import END, append
from tests.unit.orchestrator.evidence.chains import BY, CLIENT_ID, STACK_ID
home, lease = Path(sys.argv[1]), float(sys.argv[2])
clock = SystemClock()
"""


PAUSED = (
    OTHER
    + """
place = EvidenceFolder(home, "acme-demo", STACK_ID)
with open_writer(place, CLIENT_ID, clock, BY, lease_seconds=lease) as writer:
    writer.append_run(RunEnd("1" * 26, "up", 0, clock.moment()))
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        writer.append_run(RunEnd("2" * 26, "up", 0, clock.moment()))
    except ToolError as problem:
        sys.exit(f"{type(problem).__name__}: {problem}")
"""
)


KILLED = (
    OTHER
    + """
import os, signal
from orchestrator.evidence import chain
left = int(sys.argv[3])
class Os:
    def __getattr__(self, name):
        return getattr(os, name)
    def write(self, descriptor, piece):
        os.write(descriptor, piece[:left] if left >= 0 else piece[: len(piece) + left])
        os.kill(os.getpid(), signal.SIGKILL)
chain.os = Os()
with open_writer(EvidenceFolder(home, "acme-demo", STACK_ID), CLIENT_ID, clock, BY) as writer:
    writer.append_run(RunEnd("9" * 26, "up", 0, clock.moment()))
"""
)


MANY = (
    OTHER
    + """
for number in range(int(sys.argv[3])):
    with open_writer(EvidenceFolder(home, "acme-demo", STACK_ID), CLIENT_ID, clock, BY) as writer:
        writer.append_run(RunEnd(sys.argv[4] * 26, "up", 0, clock.moment()))
"""
)


def started(program: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", program, *map(str, words)], env={**os.environ},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = bench_at(tmp_path / "home")
    made.clock = SystemClock()  # type: ignore[assignment]  # other processes write, too
    return made


def test_a_paused_writer_that_lost_its_lease_is_refused(bench: Bench) -> None:
    paused = started(PAUSED, bench.folder.home, 1.0)
    assert paused.stdout is not None
    assert paused.stdout.readline() == "ready\n", paused.communicate()
    os.kill(paused.pid, signal.SIGSTOP)
    began = time.monotonic()
    with open_writer(bench.folder, CLIENT_ID, SystemClock(), BY, lease_seconds=1.0) as writer:
        waited = time.monotonic() - began
        writer.append_run(END)
    assert waited > 0.2, "a living holder keeps its lease until it runs out"
    os.kill(paused.pid, signal.SIGCONT)
    _, said = paused.communicate("go on\n", timeout=30)
    assert paused.returncode == 1
    assert "StaleWriterError: evidence" in said
    assert [line.body["run"][0] for line in bench.records()[1:]] == ["1", "r"]
    assert bench.verify().ok


def test_a_dead_holder_is_not_waited_for(bench: Bench) -> None:
    holder = started(PAUSED, bench.folder.home, 600.0)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "ready\n"
    holder.kill()
    holder.wait()
    began = time.monotonic()
    append(bench)
    assert time.monotonic() - began < 5
    assert bench.verify().ok


def test_processes_that_write_at_once_make_one_chain(bench: Bench) -> None:
    writers = [started(MANY, bench.folder.home, 0, 8, name) for name in "abc"]
    for each in writers:
        _, said = each.communicate(timeout=120)
        assert each.returncode == 0, said
    verdict = bench.verify()
    assert verdict.ok, verdict.problems
    assert sorted(line.body["run"][0] for line in bench.records()[1:]) == sorted("abc" * 8)


@pytest.mark.parametrize("left", [0, 1, 2, 11, 64, 200, 512, 700, -200, -100, -90, -3, -2, -1])
def test_a_kill_in_the_middle_of_a_line_is_mended_and_told(bench: Bench, left: int) -> None:
    append(bench)
    before = bench.folder.chain.read_bytes()
    died = started(KILLED, bench.folder.home, 0, left)
    died.communicate(timeout=60)
    assert died.returncode == -signal.SIGKILL
    torn = bench.folder.chain.read_bytes()[len(before) :]
    assert b"\n" not in torn
    assert len(torn) == left or left < 0 < len(torn)
    assert bench.verify().ok, "a torn end is no bad record"
    append(bench)
    told = ["torn_line_cut"] if torn else []
    assert bench.kinds() == ["key_created", "run", *told, "run"]
    if torn:
        assert bench.records()[2].body["bytes"] == len(torn)
    assert bench.verify().ok
    assert bench.folder.chain.read_bytes().startswith(before)
    assert not (bench.folder.path / "torn").exists()


def test_a_kill_after_the_line_but_before_anything_else_loses_nothing(bench: Bench) -> None:
    append(bench)
    died = started(KILLED, bench.folder.home, 0, 1 << 30)
    died.communicate(timeout=60)
    append(bench)
    assert bench.kinds() == ["key_created", "run", "run", "run"]
    assert bench.verify().ok
