"""Which repository a path belongs to, with working trees as Git itself makes them."""

from __future__ import annotations

from pathlib import Path

from orchestrator.git_places import GitPlace, git_place
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
    assert git_place(top) == GitPlace(top / ".git", top)
    assert git_place(top / "infra" / "deep") == git_place(tmp_path / "link") == git_place(top)
    assert git_place(tmp_path / "tree") == GitPlace(top / ".git", tmp_path / "tree")
    assert git_place(top / "x") == git_place(top)


def test_clones_bare_and_separate_folders_of_git_are_their_own(tmp_path: Path) -> None:
    top = made(tmp_path / "mono")
    git(tmp_path, "clone", "-q", "--bare", str(top), "bare.git")
    git(tmp_path, "clone", "-q", "--separate-git-dir", str(tmp_path / "apart"), str(top), "clone")
    assert git_place(tmp_path / "bare.git") == GitPlace(tmp_path / "bare.git", None)
    assert git_place(tmp_path / "clone") == GitPlace(tmp_path / "apart", tmp_path / "clone")
    git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "tree"), "main")
    assert git_place(tmp_path / "tree") == GitPlace(tmp_path / "bare.git", tmp_path / "tree")


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    assert git_place(tmp_path) is None
    (tmp_path / ".git").write_bytes(b"\xff not a pointer")
    assert git_place(tmp_path) is None
