"""Which repository a path belongs to, with working trees as Git itself makes them."""

from __future__ import annotations

from pathlib import Path

from orchestrator.git_places import GitPlace, git_places, repository_at
from tests.unit.orchestrator.test_policy_reference import commit, git


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "x").write_text("x")
    commit(folder)
    return folder


def test_a_subfolder_a_link_and_a_worktree_are_of_one_repository(tmp_path: Path) -> None:
    top = made(tmp_path / "mono")
    (top / "infra" / "deep").mkdir(parents=True)
    git(top, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    (tmp_path / "link").symlink_to(top / "infra")
    assert repository_at(top) == GitPlace(top / ".git", top)
    assert repository_at(top / "infra" / "deep") == repository_at(tmp_path / "link") == repository_at(top)
    assert repository_at(tmp_path / "tree") == GitPlace(top / ".git", tmp_path / "tree")
    assert repository_at(top / "x") == repository_at(top)


def test_clones_bare_and_separate_folders_of_git_are_their_own(tmp_path: Path) -> None:
    top = made(tmp_path / "mono")
    git(tmp_path, "clone", "-q", "--bare", str(top), "bare.git")
    git(tmp_path, "clone", "-q", "--separate-git-dir", str(tmp_path / "apart"), str(top), "clone")
    assert repository_at(tmp_path / "bare.git") == GitPlace(tmp_path / "bare.git", None)
    assert repository_at(tmp_path / "clone") == GitPlace(tmp_path / "apart", tmp_path / "clone")
    git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "tree"), "main")
    assert repository_at(tmp_path / "tree") == GitPlace(tmp_path / "bare.git", tmp_path / "tree")


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    assert repository_at(tmp_path) is None
    (tmp_path / ".git").write_bytes(b"\xff not a pointer")
    assert git_places(tmp_path) == ()


def test_what_looks_like_a_bare_repository_or_is_a_submodule_hides_none_around_it(tmp_path: Path) -> None:
    top, infra = made(tmp_path / "mono"), tmp_path / "mono" / "infra"
    for part in ("HEAD", "objects/x", "refs/x"):
        (infra / part).parent.mkdir(parents=True, exist_ok=True)
        (infra / part).write_text("x")
    assert git_places(infra) == (GitPlace(top / ".git", top),)
    git(tmp_path, "clone", "-q", str(top), "mono/inner")
    assert git_places(top / "inner") == (
        GitPlace(top / "inner" / ".git", top / "inner"), GitPlace(top / ".git", top),
    )  # fmt: skip
