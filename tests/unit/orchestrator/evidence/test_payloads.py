"""Payloads: encrypted, erased with a tombstone, kept by a hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.errors import InputError, StewardError, ToolError
from orchestrator.evidence.payloads import load_key, make_key
from orchestrator.evidence.record import Kind, Line
from orchestrator.evidence.standing import erasable, months_before
from orchestrator.evidence.verdict import Fault
from tests.unit.orchestrator.evidence.chains import CLIENT_ID, REPORT, Bench, bench_at
from tests.unit.orchestrator.evidence.test_verify import first

RUN = f"{0:026d}"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two runs with a report each: records 2 and 3."""
    made = bench_at(tmp_path / "home")
    made.runs(2, attachments=(REPORT,))
    return made


def test_a_document_comes_back_as_it_was(bench: Bench) -> None:
    with bench.writer() as writer:
        (payload,) = bench.records()[-1].payloads
        key = load_key(bench.folder.payload_key(CLIENT_ID))
        salt, content = writer.store.get(key, payload)
        assert content == REPORT.content
        assert len(salt) == 32
        with pytest.raises(ToolError, match="another document"):
            writer.store.get(key, replace(payload, commitment="0" * 64))


def test_equal_documents_are_stored_apart_and_tell_nothing_of_each_other(bench: Bench) -> None:
    (one,), (two,) = (line.payloads for line in bench.records()[-2:])
    assert one.sha256 != two.sha256
    assert one.commitment != two.commitment


def test_only_the_clients_key_opens_it(bench: Bench, tmp_path: Path) -> None:
    (payload,) = bench.records()[-1].payloads
    with bench.writer() as writer:
        for key in (None, make_key(tmp_path / "other.key")):
            with pytest.raises(InputError, match="key of the payload"):
                writer.store.get(key, payload)


def test_a_ciphertext_is_good_in_its_own_chain_only(bench: Bench, tmp_path: Path) -> None:
    (payload,) = bench.records()[-1].payloads
    other = bench_at(tmp_path / "home")
    other.folder = replace(other.folder, id="b2" * 16)
    other.runs(1)
    with bench.writer() as writer, other.writer() as stranger:
        there = stranger.store.place(payload.sha256)
        there.parent.mkdir()
        there.write_bytes(writer.store.place(payload.sha256).read_bytes())
        with pytest.raises(ToolError, match="altered"):
            stranger.store.get(load_key(bench.folder.payload_key(CLIENT_ID)), payload)


def test_a_client_has_one_key_and_each_chain_says_so_once(bench: Bench) -> None:
    bench.runs(2, begin=2, attachments=(REPORT,))
    assert bench.kinds().count("payload_key_created") == 1
    key = make_key(bench.folder.payload_key(CLIENT_ID))
    assert bench.records()[1].body["key_id"] == key.id, "a key in use is never replaced"


def test_a_broken_key_is_told(bench: Bench) -> None:
    bench.folder.payload_key(CLIENT_ID).write_bytes(b"short")
    with pytest.raises(ToolError, match="payload key is broken"):
        bench.runs(1, begin=2, attachments=(REPORT,))


def test_an_erasure_leaves_a_tombstone_and_a_whole_chain(bench: Bench) -> None:
    before = bench.folder.chain.read_bytes()
    with bench.writer() as writer:
        payloads = erasable(writer.standing().of_run(RUN), writer.standing())
        (line,) = writer.erase(payloads, "request", "asked by the person")
        assert not writer.store.exists(payloads[0].sha256)
        assert writer.standing().of_run(RUN) == []
    assert line.body["sha256"] == payloads[0].sha256
    assert bench.folder.chain.read_bytes().startswith(before)
    assert bench.verify().ok


def test_an_erasure_that_was_killed_is_named_and_finished(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench.writer() as writer:
        payloads = erasable(writer.standing().of_run(RUN), writer.standing())
        with monkeypatch.context() as patched:
            patched.setattr(writer.store, "erase", lambda _: None)
            (line,) = writer.erase(payloads, "request", "killed right after the tombstone")
        assert first(bench.verify()) == (line.number, Fault.ERASURE_INCOMPLETE)
        assert writer.finish_erasures() == 1
    assert bench.verify().ok


def test_a_hold_wins_over_erasure_and_retention_until_it_is_released(bench: Bench) -> None:
    with bench.writer() as writer:
        hold = writer.append(Kind.HOLD, {"run": "", "reason": "case 12/26"})
        with pytest.raises(InputError, match="legal hold keeps") as refused:
            erasable(writer.standing().of_run(RUN), writer.standing())
        assert "case 12/26" in str(refused.value)
        later = bench.clock.now() + timedelta(days=5_000)
        assert writer.standing().past_retention(later, 24) == []
        writer.append(Kind.RELEASE, {"hold": hold.number, "reason": "closed"})
        assert len(writer.standing().past_retention(later, 24)) == 2
        assert len(erasable(writer.standing().of_run(RUN), writer.standing())) == 1


def test_a_hold_on_one_run_leaves_the_others(bench: Bench) -> None:
    with bench.writer() as writer:
        writer.append(Kind.HOLD, {"run": RUN, "reason": "case 13/26"})
        later = bench.clock.now() + timedelta(days=5_000)
        assert [line.number for line, _ in writer.standing().past_retention(later, 24)] == [3]


def test_retention_is_24_months_to_the_day(bench: Bench) -> None:
    with bench.writer() as writer:
        at = bench.records()[2].ended_at()
        standing = writer.standing()
        assert standing.past_retention(at.replace(year=at.year + 2), 24) == []
        assert len(standing.past_retention(at.replace(year=at.year + 2) + timedelta(seconds=1), 24)) == 1


@pytest.mark.parametrize(
    ("now", "months", "then"),
    [("2026-03-31", 1, "2026-02-28"), ("2028-02-29", 24, "2026-02-28"), ("2026-01-15", 1, "2025-12-15")],
)
def test_months_are_those_of_the_calendar(now: str, months: int, then: str) -> None:
    assert months_before(datetime.fromisoformat(now).replace(tzinfo=UTC), months).date().isoformat() == then


def test_a_run_without_a_record_has_nothing_to_erase(bench: Bench) -> None:
    with bench.writer() as writer, pytest.raises(StewardError, match="no record of run"):
        writer.standing().of_run("nobody")


def erased_by_hand(bench: Bench, record: int) -> Line:
    """A tombstone and no ciphertext, as a Steward writes that asks no hold."""
    (payload,) = bench.records()[record].payloads
    with bench.writer() as writer:
        (line,) = writer.erase([payload], "request", "by hand")
    return line


def test_a_tombstone_under_a_hold_is_a_fault(bench: Bench) -> None:
    with bench.writer() as writer:
        hold = writer.append(Kind.HOLD, {"run": RUN, "reason": "case 12/26"})
    assert erased_by_hand(bench, 3).number == 5, "a run that it does not cover"
    assert bench.verify().ok
    line = erased_by_hand(bench, 2)
    with bench.writer() as writer:
        writer.append(Kind.RELEASE, {"hold": hold.number, "reason": "closed"})
    verdict = bench.verify()
    assert first(verdict) == (line.number, Fault.ERASED_UNDER_HOLD)
    assert f"report.json of record 2, which the hold of record {hold.number} kept" in str(verdict.first_bad)


def test_an_erasure_before_a_hold_or_after_its_release_is_none(bench: Bench) -> None:
    erased_by_hand(bench, 2)
    with bench.writer() as writer:
        hold = writer.append(Kind.HOLD, {"run": "", "reason": "case 12/26"})
        writer.append(Kind.RELEASE, {"hold": hold.number, "reason": "closed"})
    erased_by_hand(bench, 3)
    assert bench.verify().ok


def test_a_tombstone_for_what_no_record_has_is_a_fault(bench: Bench) -> None:
    with bench.writer() as writer:
        line = writer.append(Kind.TOMBSTONE, {"sha256": "0" * 64, "name": "x", "cause": "", "reason": ""})
    assert first(bench.verify()) == (line.number, Fault.BAD_TOMBSTONE)


def test_how_much_was_erased_how_early_and_by_whom_is_noted(bench: Bench) -> None:
    erased_by_hand(bench, 2)
    (note,) = bench.verify().notes
    assert note == "1 document was erased, 1 before 24 months were over, by alice@ci (1)"
    bench.clock.move(timedelta(days=800))
    erased_by_hand(bench, 3)
    (note,) = bench.verify().notes
    assert note == "2 documents were erased, 1 before 24 months were over, by alice@ci (2)"
