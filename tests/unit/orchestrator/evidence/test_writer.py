"""One writer at a time: what it records, and what it does with the end of a chain that another one left."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from orchestrator.clock import Moment, SystemClock
from orchestrator.errors import ToolError
from orchestrator.evidence.chain import ChainFile
from orchestrator.evidence.fence import Fence, StaleWriterError
from orchestrator.evidence.record import LONGEST_LINE, Kind
from orchestrator.evidence.writer import RunEnd
from tests.fakes import NOON
from tests.unit.orchestrator.evidence.chains import REPORT, STACK_ID, Bench, bench_at

END = RunEnd("r" * 26, "up", 0, Moment(NOON, 1.0, "boot"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = bench_at(tmp_path / "home")
    made.clock = SystemClock()  # type: ignore[assignment]  # a record says which boot it is of
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
