"""Whatever is done to a chain, the verdict names the first bad record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.evidence.fence import Fence
from orchestrator.evidence.record import canonical, make_line, read_line, signed_bytes
from orchestrator.evidence.sshsig import EVIDENCE, make_key, sign
from orchestrator.evidence.verdict import Fault, Verdict
from tests.unit.orchestrator.evidence.chains import REPORT, Bench, MemoryAnchor, bench_at, changed, copied


@pytest.fixture(scope="module")
def six_runs(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Key, six runs: records 0 to 6."""
    made = bench_at(tmp_path_factory.mktemp("six") / "home")
    made.runs(6)
    return made


@pytest.fixture
def bench(six_runs: Bench, tmp_path: Path) -> Bench:
    return copied(six_runs, tmp_path / "home")


def first(verdict: Verdict) -> tuple[int, Fault]:
    assert verdict.first_bad is not None, "nothing was found"
    return verdict.first_bad.number, verdict.first_bad.fault


def test_a_chain_that_nobody_touched_is_whole(bench: Bench) -> None:
    verdict = bench.verify()
    assert verdict.ok, verdict.problems
    assert verdict.records == 7
    assert bench.kinds() == ["key_created", *["run"] * 6]


def test_without_an_anchor_it_says_so_and_how_old_the_tail_is(bench: Bench) -> None:
    bench.clock.move(timedelta(days=3))
    verdict = bench.verify()
    assert verdict.words(bench.clock.now()) == (
        "internally consistent only: 7 unanchored records, the oldest 3 d old"
    )
    assert not verdict.first_key_trusted


def test_with_an_anchor_the_tail_alone_is_internal(bench: Bench) -> None:
    anchor = MemoryAnchor()
    with bench.writer() as writer:
        assert writer.anchor([anchor]) == []
    verdict = bench.verify(anchor)
    assert (verdict.ok, verdict.anchored, verdict.unanchored) == (True, 6, 0)
    assert verdict.words(bench.clock.now()) == "whole up to record 6, by memory"
    assert verdict.first_key_trusted
    bench.runs(2, begin=6)
    bench.clock.move(timedelta(hours=5))
    assert bench.verify(anchor).words(bench.clock.now()) == (
        "whole up to record 6, by memory; internally consistent only after it: "
        "2 unanchored records, the oldest 5 h old"
    )


Change = Callable[[list[bytes]], list[bytes]]


def edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[3].replace(b"alice@ci", b"mallo@ci"), *lines[4:]]


def edited_with_its_hash(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], changed(lines[3], actor="mallory"), *lines[4:]]


def edited_to_the_end(lines: list[bytes]) -> list[bytes]:
    """Every hash after the edit fits again: only the signatures tell."""
    made = lines[:3]
    for line in lines[3:]:
        values = {"actor": "mallory"} if len(made) == 3 else {"previous": read_line(made[-1][:-1]).sha256}
        made.append(changed(line, **values))
    return made


def garbage(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], b"\x00\xff not a record\n", *lines[4:]]


def spaced(lines: list[bytes]) -> list[bytes]:
    """The same values, written otherwise, with a hash that fits."""
    old = read_line(lines[3][:-1])
    return [*lines[:3], make_line(old.raw.replace(b'","', b'" ,"', 1), old.signature), *lines[4:]]


def deleted(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], *lines[5:]]


def first_deleted(lines: list[bytes]) -> list[bytes]:
    return lines[1:]


def reordered(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[4], lines[3], *lines[5:]]


def repeated(lines: list[bytes]) -> list[bytes]:
    return [*lines[:4], lines[3], *lines[4:]]


def forked(lines: list[bytes]) -> list[bytes]:
    """A second record 3 that follows the same record 2."""
    return [*lines[:4], changed(lines[3], actor="mallory"), *lines[4:]]


def grafted(lines: list[bytes]) -> list[bytes]:
    """Record 4 follows record 1."""
    return [*lines[:4], changed(lines[4], previous=read_line(lines[1][:-1]).sha256)]


def foreign(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], changed(lines[3], chain="b2" * 16)]


def stale(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], changed(lines[3], fence=0)]


@pytest.mark.parametrize(
    ("change", "number", "fault"),
    [
        (edited, 3, Fault.EDITED),
        (edited_with_its_hash, 3, Fault.BAD_SIGNATURE),
        (edited_to_the_end, 3, Fault.BAD_SIGNATURE),
        (garbage, 3, Fault.EDITED),
        (spaced, 3, Fault.EDITED),
        (deleted, 3, Fault.DELETED),
        (first_deleted, 0, Fault.DELETED),
        (reordered, 3, Fault.REORDERED),
        (repeated, 3, Fault.FORKED),
        (forked, 3, Fault.FORKED),
        (grafted, 4, Fault.FORKED),
        (foreign, 3, Fault.FOREIGN),
        (stale, 3, Fault.STALE_WRITER),
        (lambda lines: lines[:4], 4, Fault.TRUNCATED),
        (lambda lines: [], 0, Fault.NO_CHAIN),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_first_bad_record_is_named(bench: Bench, change: Change, number: int, fault: Fault) -> None:
    bench.put(change(bench.lines()))
    assert first(bench.verify()) == (number, fault)


@pytest.mark.parametrize("at", range(7))
def test_one_flipped_bit_anywhere_is_found(bench: Bench, at: int) -> None:
    lines = bench.lines()
    for place in range(0, len(lines[at]) - 1, 97):
        bad = bytearray(lines[at])
        bad[place] ^= 1
        bench.put([*lines[:at], bytes(bad), *lines[at + 1 :]])
        assert first(bench.verify())[0] == at, f"byte {place}"


def test_a_truncation_that_hides_its_traces_is_named_by_the_anchor(bench: Bench) -> None:
    anchor = MemoryAnchor()
    with bench.writer() as writer:
        writer.anchor([anchor])
    bench.put(bench.lines()[:4])
    (bench.folder.path / "fence.json").unlink()
    assert bench.verify().ok, "nothing inside of the copy tells"
    assert first(bench.verify(anchor)) == (4, Fault.ROLLED_BACK)
    assert "the chain ends at record 3" in bench.verify(anchor).words(bench.clock.now())


def test_an_older_copy_that_is_written_on_is_named_by_the_anchor(bench: Bench, tmp_path: Path) -> None:
    anchor = MemoryAnchor()
    with bench.writer() as writer:
        writer.anchor([anchor])
    older = tmp_path / "older"
    shutil.copytree(bench.folder.home, older)
    bench.runs(3, begin=6)
    with bench.writer() as writer:
        writer.anchor([anchor])
    shutil.rmtree(bench.folder.home)
    older.rename(bench.folder.home)
    assert first(bench.verify(anchor)) == (8, Fault.ROLLED_BACK)
    bench.runs(9, begin=100)
    assert bench.verify().ok, "as a chain of its own it is whole"
    assert first(bench.verify(anchor)) == (7, Fault.FORKED)


def test_two_copies_that_both_publish_are_a_fork(bench: Bench, tmp_path: Path) -> None:
    anchor, copy = MemoryAnchor(), tmp_path / "copy"
    shutil.copytree(bench.folder.home, copy)
    for home in (bench.folder.home, copy):
        other = Bench(bench.folder.__class__(home, "acme-demo", bench.folder.id), bench.clock)
        other.runs(1, begin=7)
        with other.writer() as writer:
            writer.anchor([anchor])
    assert first(bench.verify(anchor)) == (7, Fault.FORKED)
    assert "two records 7" in bench.verify(anchor).words(bench.clock.now())


def test_a_clock_that_goes_back_is_suspect(bench: Bench) -> None:
    bench.clock.move(timedelta(minutes=-10))
    bench.runs(1, begin=7)
    assert first(bench.verify()) == (7, Fault.CLOCK_SUSPECT)
    assert "clock_suspect" in bench.verify().words(bench.clock.now())


def test_a_clock_that_is_set_forward_does_not_hide_that_the_counter_went_back(bench: Bench) -> None:
    class Forward(type(bench.clock)):  # type: ignore[misc]
        def moment(self):  # type: ignore[no-untyped-def]
            moment = super().moment()
            return type(moment)(moment.utc + timedelta(days=1), 0.0, moment.boot_id)

    bench.clock = Forward(bench.clock.at)
    bench.runs(1, begin=7)
    assert first(bench.verify()) == (7, Fault.CLOCK_SUSPECT)


def test_a_payload_that_is_altered_or_gone_is_named(bench: Bench) -> None:
    bench.runs(1, begin=7, attachments=(REPORT,))
    line = bench.records()[-1]
    path = next(bench.folder.payloads.glob("*/*"))
    stored = path.read_bytes()
    path.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    assert first(bench.verify()) == (line.number, Fault.PAYLOAD_ALTERED)
    path.unlink()
    assert first(bench.verify()) == (line.number, Fault.PAYLOAD_MISSING)


def test_lost_records_stay_named_when_the_chain_goes_on(bench: Bench) -> None:
    bench.put(bench.lines()[:4])
    bench.runs(1, begin=7)
    assert bench.kinds()[4:] == ["records_lost", "run"]
    assert first(bench.verify()) == (4, Fault.TRUNCATED)


def test_a_record_that_a_stranger_signs_is_bad(bench: Bench, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    last = bench.records()[-1]
    values = {**last.record, "number": last.number + 1, "previous": last.sha256}
    record = canonical(values)
    signature = sign(tmp_path / "stranger", EVIDENCE, signed_bytes(record))
    bench.put([*bench.lines(), make_line(record, signature)])
    assert first(bench.verify()) == (7, Fault.BAD_SIGNATURE)
    assert "no record created before" in bench.verify().words(bench.clock.now())


def test_a_chain_that_is_made_anew_is_not_the_trusted_one(bench: Bench) -> None:
    ours = str(bench.records()[0].body["public_key"])
    assert bench.verify(trusted=(ours,)).first_key_trusted
    shutil.rmtree(bench.folder.path)
    shutil.rmtree(bench.folder.signing_keys)
    bench.runs(8)
    assert bench.verify().ok
    assert first(bench.verify(trusted=(ours,))) == (0, Fault.UNTRUSTED_KEY)


def test_a_torn_end_is_a_note_and_no_fault(bench: Bench) -> None:
    bench.put([*bench.lines(), b'{"record":{"ac'])
    verdict = bench.verify()
    assert verdict.ok
    assert "14 bytes" in verdict.notes[0]


def test_a_fence_that_is_broken_is_one_of_nobody(bench: Bench) -> None:
    (bench.folder.path / "fence.json").write_text("{")
    assert Fence(bench.folder.path).read().pid == 0
    bench.runs(1, begin=7)
    assert bench.verify().ok
    assert bench.records()[-1].record["fence"] > bench.records()[-2].record["fence"]


def test_a_run_that_the_ledger_saw_to_its_end_is_missed(bench: Bench) -> None:
    runs = [f"{number:026d}" for number in range(6)]
    assert bench.verify(runs=runs).ok
    verdict = bench.verify(runs=[*runs, "x" * 26])
    assert first(verdict) == (7, Fault.RECORDS_LOST)
    assert "x" * 26 in str(verdict.first_bad)
    with bench.writer() as writer:
        line = writer.append_loss(["x" * 26], [], runs[0])
    verdict = bench.verify(runs=[*runs, "x" * 26])
    assert [problem.number for problem in verdict.problems] == [line.number], "told once, by its record"


def test_a_key_that_no_record_brings_tells_of_a_chain_that_was_begun_anew(bench: Bench) -> None:
    shutil.rmtree(bench.folder.path)
    assert [problem.fault for problem in bench.verify().problems] == [Fault.NO_CHAIN, Fault.RECORDS_LOST]
    bench.runs(1)
    assert first(bench.verify()) == (2, Fault.RECORDS_LOST)
