"""One writer, refused when it slept too long, and killed anywhere: the chain stays whole."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.clock import Moment, SystemClock
from orchestrator.errors import ToolError
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.fence import Fence, StaleWriterError
from orchestrator.evidence.record import LONGEST_LINE, Kind
from orchestrator.evidence.writer import RunEnd, open_writer
from tests.fakes import NOON
from tests.unit.orchestrator.evidence.chains import BY, CLIENT_ID, REPORT, STACK_ID, Bench, bench_at

END = RunEnd("r" * 26, "up", 0, Moment(NOON, 1.0, "boot"))
OTHER = """
import sys, time
from pathlib import Path
from orchestrator.clock import SystemClock
from orchestrator.errors import ToolError
from orchestrator.evidence.folder import EvidenceFolder
from orchestrator.evidence.writer import RunEnd, open_writer
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


def append(bench: Bench) -> None:
    with bench.writer() as writer:
        writer.append_run(END)


def test_a_record_has_what_an_auditor_asks_for(bench: Bench) -> None:
    with bench.writer() as writer:
        line = writer.append_run(RunEnd("r" * 26, "up", 1, Moment(NOON, 1.0, "boot"), "a finding", (REPORT,)))
    assert bench.kinds() == ["key_created", "payload_key_created", "run"]
    record = line.record
    assert {name: record[name] for name in ("actor", "commit", "change", "command")} == {
        "actor": "alice@ci", "commit": "f" * 40, "change": "MR 7", "command": ["steward", "up"],
    }  # fmt: skip
    assert record["digests"]["inputs"] == [{"name": "demo.yaml", "sha256": "4" * 64}]
    assert record["versions"] == [{"name": "steward", "version": "0.1.0"}]
    assert record["body"] == {"run": "r" * 26, "verb": "up", "exit_code": 1, "problem": "a finding"}
    assert (record["started_at"], record["chain"]) == ("2026-11-22T12:00:00.000000Z", STACK_ID)
    assert record["boot_id"] == SystemClock().boot_id
    assert record["monotonic_ms"] > 0
    assert bench.verify().ok


def test_files_are_private_and_the_report_lies_there_encrypted(bench: Bench) -> None:
    with bench.writer() as writer:
        line = writer.append_run(RunEnd("r" * 26, "up", 0, END.started, attachments=(REPORT,)))
    for path in bench.folder.home.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted or path.suffix == ".pub", path
        assert path.is_dir() or b"steward.report/2" not in path.read_bytes(), path
    (payload,) = line.payloads
    assert writer.store.place(payload.sha256).stat().st_size == payload.size


def test_two_ways_to_write_a_name_give_one_record(bench: Bench) -> None:
    with bench.writer() as writer:
        line = writer.append(Kind.HOLD, {"reason": "Mu\u0308ller \ud800", "run": ""})
    assert line.body["reason"] == "Müller ?"
    assert "Müller".encode() in bench.folder.chain.read_bytes()
    assert bench.verify().ok


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


def test_a_number_is_never_given_twice_also_when_its_file_is_gone(bench: Bench) -> None:
    append(bench)
    token = int(bench.records()[-1].record["fence"])
    (bench.folder.path / "fence.json").unlink()
    with bench.writer() as writer:
        assert writer.append_run(END).record["fence"] == token + 1
    fence = Fence(bench.folder.path)
    old, new = fence.take(0), fence.take(0)
    assert new > old
    with pytest.raises(StaleWriterError), fence.held(old):
        pass


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


def test_a_second_kill_while_mending_loses_no_word_of_the_first(bench: Bench) -> None:
    append(bench)
    bench.put([*bench.lines(), b'{"record":{"torn'])
    cut = ChainFile(bench.folder.chain).cut_torn_end()
    assert cut is not None, "cut, and then killed before the record of it"
    append(bench)
    assert bench.kinds() == ["key_created", "run", "torn_line_cut", "run"]
    assert bench.records()[2].body["sha256"] == cut.sha256


def test_nothing_is_added_to_a_chain_whose_end_is_no_record(bench: Bench) -> None:
    append(bench)
    bench.put([*bench.lines()[:-1], b'{"record":{},"sha256":"","signature":""}\n'])
    before = bench.folder.chain.read_bytes()
    with pytest.raises(ToolError, match="damaged"):
        append(bench)
    assert bench.folder.chain.read_bytes() == before


def test_an_end_that_no_writer_tore_off_takes_no_record_along(bench: Bench) -> None:
    append(bench)
    with bench.folder.chain.open("ab") as file:
        file.write(b"\0" * (2 * LONGEST_LINE + (1 << 20)))
    before = bench.folder.chain.read_bytes()
    with pytest.raises(ToolError, match="damaged"):
        append(bench)
    assert bench.folder.chain.read_bytes() == before
    assert not bench.verify().ok


def test_runs_that_were_killed_are_told_once(bench: Bench) -> None:
    with bench.writer() as writer:
        writer.append_run(END)
        told = writer.append_killed(["k" * 26, END.run], found_by="n" * 26)
        assert [line.body["run"] for line in told] == ["k" * 26]
        assert writer.append_killed(["k" * 26], found_by="m" * 26) == []
    assert bench.kinds() == ["key_created", "run", "run_killed"]


def test_a_disk_that_is_full_leaves_a_whole_chain(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    append(bench)

    def full(descriptor: int, piece: memoryview) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("orchestrator.evidence.chain.os.write", full)
        with pytest.raises(OSError, match="No space"):
            append(bench)
    append(bench)
    assert bench.verify().ok
    assert json.loads((bench.folder.path / "fence.json").read_text())["head_number"] == 2
