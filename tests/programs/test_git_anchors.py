"""A Git checkout vouches by what its remote says when asked, and by nothing that lies on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.evidence.anchors import FolderAnchor
from orchestrator.evidence.bundle import export
from orchestrator.evidence.period import read_period
from orchestrator.evidence.upstream import ASKED, fetch
from orchestrator.evidence.verdict import Fault
from tests.unit.orchestrator.evidence.chains import Bench, bench_at
from tests.unit.orchestrator.evidence.quarters import unpacked
from tests.unit.orchestrator.evidence.test_anchors import git, publish
from tests.unit.orchestrator.evidence.test_verify import first


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two heads were pushed: of record 2, and of record 4."""
    made = bench_at(tmp_path / "home")
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(tmp_path, "clone", "-q", "remote.git", "anchors")
    made.runs(2)
    publish(made, anchor_of(made))
    git(tmp_path / "anchors", "push", "-q", "-u", "origin", "HEAD:main")
    made.runs(1, begin=2)
    publish(made, anchor_of(made))
    git(tmp_path / "anchors", "push", "-q", "origin", "HEAD:main")
    return made


@pytest.fixture
def checkout(bench: Bench, tmp_path: Path) -> Path:
    return tmp_path / "anchors"


def anchor_of(bench: Bench) -> FolderAnchor:
    return FolderAnchor(bench.folder.home.parent / "anchors", bench.folder.home)


def words(bench: Bench) -> str:
    return bench.verify(anchor_of(bench)).words(bench.clock.now())


def cut(bench: Bench, checkout: Path) -> None:
    """All that root of this machine can bring back: chain, fence, file, commit and tracking branch."""
    old = git(checkout, "rev-parse", "HEAD~1").strip()
    bench.put(bench.lines()[:4])
    (bench.folder.path / "fence.json").unlink(missing_ok=True)
    git(checkout, "reset", "-q", "--hard", old)
    git(checkout, "update-ref", "refs/remotes/origin/main", old)
    git(checkout, "update-ref", "-d", ASKED)


def test_the_remote_vouches_and_is_named(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    assert words(bench) == f"whole up to record 4, by folder anchors at {tmp_path}/remote.git"


def test_a_truncation_is_named_though_every_local_copy_is_rewritten(bench: Bench, checkout: Path) -> None:
    cut(bench, checkout)
    assert first(bench.verify(anchor_of(bench))) == (4, Fault.ROLLED_BACK)
    assert "knows record 4" in words(bench)


def test_where_the_remote_is_away_nothing_is_called_whole(
    bench: Bench, checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "remote.git").rename(tmp_path / "away.git")
    verdict = bench.verify(anchor_of(bench))
    assert verdict.ok, verdict.problems
    assert verdict.words(bench.clock.now()).startswith("internally consistent only: 4 unanchored records")
    (note,) = verdict.notes
    assert note.startswith(
        "folder anchors, as this machine last saw it, up to record 4: it vouches for nothing"
    )
    assert "remote cannot be asked" in note
    bench.put(bench.lines()[:2])
    (bench.folder.path / "fence.json").unlink()
    assert first(bench.verify(anchor_of(bench))) == (2, Fault.ROLLED_BACK), "by the copies that are here"
    cut(bench, checkout)
    assert not words(bench).startswith("whole")


def test_what_is_not_pushed_yet_vouches_for_nothing(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    bench.runs(1, begin=3)
    publish(bench, anchor_of(bench))
    verdict = bench.verify(anchor_of(bench))
    assert (verdict.ok, verdict.anchored, verdict.unanchored) == (True, 4, 1)
    assert verdict.notes == (
        f"record 6 lies in folder anchors on this machine alone, and is not at {tmp_path}/remote.git yet",
    )


def test_a_branch_that_was_rewritten_at_the_remote_lost_its_heads(
    bench: Bench, checkout: Path, tmp_path: Path
) -> None:
    git(tmp_path / "remote.git", "update-ref", "refs/heads/main", "refs/heads/main~1")
    assert first(bench.verify(anchor_of(bench))) == (4, Fault.HEADS_LOST)
    assert first(bench.verify(anchor_of(bench))) == (4, Fault.HEADS_LOST), "also when it is asked again"


def test_asking_changes_nothing_in_the_checkout(bench: Bench, checkout: Path) -> None:
    (checkout / "draft").write_text("x")
    refs = ("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/remotes", "refs/tags")
    before = [
        git(checkout, *refs),
        git(checkout, "status", "--porcelain"),
        git(checkout, "rev-parse", "HEAD"),
    ]
    hook = checkout / ".git" / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\ntouch hook-ran\n")
    hook.chmod(0o755)
    bench.verify(anchor_of(bench))
    hook.unlink()
    assert [
        git(checkout, *refs),
        git(checkout, "status", "--porcelain"),
        git(checkout, "rev-parse", "HEAD"),
    ] == before
    assert git(checkout, "rev-parse", ASKED) == git(checkout, "rev-parse", "HEAD")
    assert not list(checkout.rglob("FETCH_HEAD"))


@pytest.mark.parametrize("remote", [".", ""])
def test_a_checkout_without_a_branch_elsewhere_vouches_for_nothing(
    bench: Bench, checkout: Path, remote: str
) -> None:
    if remote:
        git(checkout, "config", "branch.main.remote", remote)
    else:
        git(checkout, "branch", "--unset-upstream")
    verdict = bench.verify(anchor_of(bench))
    assert verdict.anchored == -1
    assert "no branch upstream at a remote" in verdict.notes[0]


def test_nobody_is_asked_for_a_password_and_none_is_shown(
    bench: Bench, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\necho secret\n")
    ask.chmod(0o755)
    for name in ("GIT_ASKPASS", "SSH_ASKPASS"):
        monkeypatch.setenv(name, str(ask))
    git(checkout, "config", "core.askPass", str(ask))
    git(checkout, "config", "url.http://127.0.0.1:9/.insteadOf", f"{tmp_path}/")
    assert bench.verify(anchor_of(bench)).anchored == -1
    assert not (tmp_path / "asked").exists()
    git(checkout, "config", "--unset", "url.http://127.0.0.1:9/.insteadOf")
    git(checkout, "remote", "set-url", "origin", f"file://ann:secret@localhost{tmp_path}/remote.git")
    assert fetch(checkout) == f"file://localhost{tmp_path}/remote.git"


def test_a_bundle_says_which_heads_this_machine_only_saw(
    bench: Bench, checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "remote.git").rename(tmp_path / "away.git")
    year = read_period(str(bench.clock.now().year))
    folder = unpacked(export(bench.folder, year, [anchor_of(bench)]), tmp_path / "out")
    rows = (folder / "anchors.txt").read_text().splitlines()
    assert [row.split()[0] for row in rows] == ["2", "4"]
    assert all(row.endswith(" folder anchors, as this machine last saw it") for row in rows)
