"""Anchors in folders and Git checkouts, and what they say of a chain that was brought back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.evidence.anchors import FolderAnchor
from orchestrator.evidence.verdict import Fault
from orchestrator.ports.evidence import Anchor, AnchorReceipt, Head, Kept
from tests.unit.orchestrator.evidence.chains import Bench, bench_at
from tests.unit.orchestrator.evidence.test_verify import first


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = bench_at(tmp_path / "home")
    made.runs(3)
    return made


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(tmp_path, "clone", "-q", "remote.git", "anchors")
    return tmp_path / "anchors"


def publish(bench: Bench, anchor: Anchor) -> None:
    with bench.writer() as writer:
        assert writer.anchor([anchor]) == []


def test_a_folder_keeps_every_head(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    anchor = FolderAnchor(tmp_path / "share", bench.folder.home)
    publish(bench, anchor)
    bench.runs(1, begin=3)
    publish(bench, anchor)
    assert [head.number for head in anchor.kept(bench.folder.id).heads] == [3, 5]
    assert bench.kinds()[-3:] == ["anchor", "run", "anchor"]
    verdict = bench.verify(anchor)
    assert verdict.words(bench.clock.now()) == "whole up to record 5, by folder share"
    assert anchor.kept("b2" * 16).heads == []


def test_in_a_checkout_each_head_is_a_commit_and_a_rewritten_file_hides_none(
    bench: Bench, checkout: Path
) -> None:
    anchor = FolderAnchor(checkout, bench.folder.home)
    publish(bench, anchor)
    assert bench.records()[-1].body["reference"] == git(checkout, "rev-parse", "HEAD").strip()
    git(checkout, "push", "-q", "-u", "origin", "HEAD:main")
    bench.put(bench.lines()[:2])
    (bench.folder.path / "fence.json").unlink()
    (checkout / f"{bench.folder.id}.heads").write_text("")
    assert first(bench.verify(anchor)) == (2, Fault.ROLLED_BACK), "by the last commit"
    git(checkout, "commit", "-q", "-a", "--amend", "--allow-empty", "-m", "nothing was here")
    assert first(bench.verify(anchor)) == (2, Fault.ROLLED_BACK), "by what CI pushed"


def test_an_anchor_that_is_away_stops_no_run_and_is_told(bench: Bench, tmp_path: Path) -> None:
    anchor = FolderAnchor(tmp_path / "away", bench.folder.home)
    with bench.writer() as writer:
        (problem,) = writer.anchor([anchor])
    assert "cannot be written" in problem
    assert first(bench.verify(anchor)) == (0, Fault.ANCHOR_UNREADABLE)


def test_an_anchor_inside_of_what_it_vouches_for_is_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match="proves nothing"):
        FolderAnchor(bench.folder.home / "evidence", bench.folder.home)


@pytest.mark.parametrize("bad", ["{}", "[]", "x", '{"chain":1}', "[" * 100_000])
def test_a_hostile_anchor_file_is_an_error_and_no_pass(bench: Bench, tmp_path: Path, bad: str) -> None:
    anchor = FolderAnchor(tmp_path, bench.folder.home)
    (tmp_path / f"{bench.folder.id}.heads").write_text(bad + "\n")
    with pytest.raises(ToolError, match="is no head"):
        anchor.kept(bench.folder.id)
    assert not bench.verify(anchor).ok


def test_a_head_that_is_only_half_written_is_none(bench: Bench, tmp_path: Path) -> None:
    anchor = FolderAnchor(tmp_path, bench.folder.home)
    publish(bench, anchor)
    path = tmp_path / f"{bench.folder.id}.heads"
    path.write_text(path.read_text() + '{"chain": "')
    assert len(anchor.kept(bench.folder.id).heads) == 1


def test_a_head_of_a_negative_record_matches_nothing(bench: Bench, tmp_path: Path) -> None:
    anchor = FolderAnchor(tmp_path, bench.folder.home)
    line = bench.records()[-1]
    head = {"chain": bench.folder.id, "number": -1, "sha256": line.sha256, "key": "", "at": ""}
    (tmp_path / f"{bench.folder.id}.heads").write_text(json.dumps(head) + "\n")
    assert bench.verify(anchor).anchored == -1


def test_one_anchor_that_fails_leaves_the_other(bench: Bench, tmp_path: Path) -> None:
    class Away:
        name = "away"

        def publish(self, head: Head) -> AnchorReceipt:
            raise ToolError("vault", "does not answer")

        def kept(self, chain: str) -> Kept:
            return Kept(())

    here = FolderAnchor(tmp_path, bench.folder.home)
    with bench.writer() as writer:
        assert writer.anchor([Away(), here]) == ["vault: does not answer."]
    assert bench.verify(here, Away()).anchored == 3


def test_an_anchor_that_the_chain_names_and_nobody_asked_is_told(bench: Bench, tmp_path: Path) -> None:
    publish(bench, FolderAnchor(tmp_path, bench.folder.home))
    verdict = bench.verify()
    assert verdict.ok
    assert f"this chain says that folder {tmp_path.name} took record 3, and it was not asked" in verdict.notes
    assert not bench.verify(FolderAnchor(tmp_path, bench.folder.home)).notes


@pytest.mark.parametrize(("kept", "gone"), [(0, 3), (1, 5)])
def test_a_folder_that_lost_heads_is_missed(bench: Bench, tmp_path: Path, kept: int, gone: int) -> None:
    anchor = FolderAnchor(tmp_path, bench.folder.home)
    publish(bench, anchor)
    bench.runs(1, begin=3)
    publish(bench, anchor)
    path = tmp_path / f"{bench.folder.id}.heads"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:kept]))
    verdict = bench.verify(anchor)
    assert first(verdict) == (gone, Fault.HEADS_LOST)
    assert "has it no more" in verdict.words(bench.clock.now())
    path.unlink()
    assert first(bench.verify(anchor)) == (3, Fault.HEADS_LOST)


def test_two_anchors_of_one_name_need_not_both_have_all(bench: Bench, tmp_path: Path) -> None:
    one, two = tmp_path / "one" / "share", tmp_path / "two" / "share"
    for number, folder in enumerate((one, two)):
        folder.mkdir(parents=True)
        publish(bench, FolderAnchor(folder, bench.folder.home))
        bench.runs(1, begin=3 + number)
    verdict = bench.verify(*(FolderAnchor(each, bench.folder.home) for each in (one, two)))
    assert verdict.ok, verdict.problems
