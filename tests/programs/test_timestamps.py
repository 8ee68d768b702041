"""Time stamps of a real authority, and what they say of a chain that was written anew."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.evidence.bundle import export
from orchestrator.evidence.period import read_period
from orchestrator.evidence.timestamps import TimestampAnchor
from orchestrator.evidence.verdict import Fault
from orchestrator.ports.evidence import Head
from tests.tsa import authority, make_authority
from tests.unit.orchestrator.evidence.chains import Bench, bench_at
from tests.unit.orchestrator.evidence.quarters import unpacked
from tests.unit.orchestrator.evidence.test_verify import first

REFUSED = bytes.fromhex("300930070201020302052000")
"""PKIStatusInfo of RFC 3161: rejection, badDataFormat."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_authority(tmp_path_factory.mktemp("tsa") / "ours")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A chain of now: an authority stamps no other time."""
    made = bench_at(tmp_path / "home")
    made.clock.at = datetime.now(UTC) - timedelta(minutes=10)
    made.runs(3)
    return made


@pytest.fixture
def anchor(bench: Bench, root: Path) -> TimestampAnchor:
    """Two heads stamped; the authority is away since."""
    with authority(root.parent) as url:
        there = TimestampAnchor(url, root, bench.folder)
        for begin in (3, 4):
            with bench.writer() as writer:
                assert writer.anchor([there]) == []
            bench.runs(1, begin=begin)
    return TimestampAnchor("", root, bench.folder)


def test_stamped_heads_are_believed_without_the_authority(bench: Bench, anchor: TimestampAnchor) -> None:
    assert [head.number for head in anchor.heads(bench.folder.id)] == [3, 5]
    verdict = bench.verify(anchor)
    assert verdict.ok, verdict.problems
    assert (verdict.anchored, verdict.anchors) == (5, ("time stamps",))
    said = bench.records()[4].body
    assert said["anchor"] == "time stamps of 127.0.0.1"
    assert abs(datetime.fromisoformat(said["reference"]) - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_chain_that_is_made_anew_has_no_stamps_of_its_times(
    bench: Bench, anchor: TimestampAnchor, root: Path
) -> None:
    bench.put(bench.lines()[:2])
    (bench.folder.path / "fence.json").unlink()
    bench.runs(4, begin=7)
    assert first(bench.verify(anchor)) == (0, Fault.FORKED)
    for stamp in bench.folder.stamps.iterdir():
        stamp.unlink()
    last = bench.records()[-1]
    long_ago = Head(bench.folder.id, last.number, last.sha256, "SHA256:x", "2026-01-02T03:04:05+00:00")
    with (
        authority(root.parent) as url,
        pytest.raises(ToolError, match=r"(?s)was not stamped when it was written.*stamped 20"),
    ):
        TimestampAnchor(url, root, bench.folder).publish(long_ago)
    assert not list(bench.folder.stamps.iterdir()), "what does not hold is not kept"


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda head, _: head.write_text(head.read_text().replace('"number": 3', '"number": 2')), "openssl"),
        (lambda head, _: head.write_text("{}"), "no head"),
        (lambda _, stamp: stamp.write_bytes(stamp.read_bytes()[:-9]), "openssl"),
        (lambda _, stamp: stamp.unlink(), "is gone"),
    ],
    ids=["another head", "no head", "cut stamp", "no stamp"],
)
def test_a_stamp_that_was_changed_is_named(
    bench: Bench, anchor: TimestampAnchor, harm: Callable[[Path, Path], object], told: str
) -> None:
    head = min(bench.folder.stamps.glob("*.json"))
    harm(head, head.with_suffix(".tsr"))
    with pytest.raises(ToolError, match=told):
        anchor.heads(bench.folder.id)
    assert Fault.ANCHOR_UNREADABLE in {problem.fault for problem in bench.verify(anchor).problems}


def test_a_stamp_that_was_taken_away_with_its_head_is_missed(bench: Bench, anchor: TimestampAnchor) -> None:
    for path in bench.folder.stamps.glob("*3-*"):
        path.unlink()
    with pytest.raises(ToolError, match="of record 3 is gone"):
        anchor.heads(bench.folder.id)
    assert not bench.verify(anchor).ok


def test_an_authority_that_nobody_vouches_for_is_not_believed(
    bench: Bench, root: Path, tmp_path: Path
) -> None:
    other = make_authority(tmp_path / "other")
    with authority(other.parent) as url, bench.writer() as writer:
        (problem,) = writer.anchor([TimestampAnchor(url, root, bench.folder)])
    assert "openssl" in problem
    assert not bench.folder.stamps.exists()


@pytest.mark.parametrize(
    ("instead", "told"),
    [
        (("text/html", b"<html>log in</html>"), "text/html, 19 bytes"),
        (("application/timestamp-reply", b"\x30\x03\x02\x01\x00" * 20_000), "65537 bytes"),
        (("application/timestamp-reply", b"nonsense"), "openssl"),
        (
            ("application/timestamp-reply", bytes.fromhex("300930070201020302052000")),
            "refused by the authority",
        ),
    ],
    ids=["page", "flood", "nonsense", "refusal"],
)
def test_other_answers_are_no_stamps(bench: Bench, root: Path, instead: tuple[str, bytes], told: str) -> None:
    with authority(root.parent, instead) as url, bench.writer() as writer:
        (problem,) = writer.anchor([TimestampAnchor(url, root, bench.folder)])
    assert re.search(told, problem), problem


def test_settings_that_cannot_work_are_refused(bench: Bench, root: Path) -> None:
    with pytest.raises(InputError, match="STEWARD_TSA: expected the http or https address"):
        TimestampAnchor("file:///etc/passwd", root, bench.folder)
    with pytest.raises(InputError, match="STEWARD_TSA_CA"):
        TimestampAnchor("http://127.0.0.1:9", None, bench.folder)
    with bench.writer() as writer:
        (problem,) = writer.anchor([TimestampAnchor("http://127.0.0.1:9", root, bench.folder)])
    assert "nobody answered" in problem


def test_an_auditor_checks_a_stamp_of_the_bundle_with_openssl_alone(
    bench: Bench, anchor: TimestampAnchor, root: Path, tmp_path: Path
) -> None:
    quarter = f"{bench.clock.at:%Y}-Q{(bench.clock.at.month + 2) // 3}"
    folder = unpacked(export(bench.folder, read_period(quarter), [anchor]), tmp_path / "out")
    (command,) = re.findall(
        r"^    (openssl ts -verify .*)$", (folder / "README.md").read_text(), re.MULTILINE
    )
    for stamp in sorted((folder / "stamps").glob("*.tsr")):
        words = command.replace("HEAD", stamp.stem).replace("ROOT.pem", str(root))
        subprocess.run(words.split(), cwd=folder, check=True, capture_output=True)
    heads = [json.loads(head.read_text()) for head in sorted((folder / "stamps").glob("*.json"))]
    assert [head["sha256"] for head in heads] == [bench.records()[number].sha256 for number in (3, 5)]
    assert "5 " in (folder / "anchors.txt").read_text()
