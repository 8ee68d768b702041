"""Code from a Git tag or a tarball; a source that is something else is refused."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.supplies.sources import SourceStore


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@t.example"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def work_tree(folder: Path) -> Path:
    """A repository with one commit of one file."""
    work = folder / "work"
    work.mkdir()
    git(work, "init", "-q", "-b", "main", ".")
    (work / "server.py").write_text("print(1)\n")
    git(work, "add", "-A")
    git(work, "commit", "-qm", "one")
    return work


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    work = work_tree(tmp_path)
    git(work, "tag", "-a", "-m", "release", "v1")
    return work


def test_a_tag_becomes_a_tarball_of_its_commit(tmp_path: Path, repository: Path) -> None:
    store = SourceStore(tmp_path / "cache")
    made = store.fetch({"git": "work", "tag": "v1"}, tmp_path)
    assert made.release == "v1"
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    with tarfile.open(made.path) as archive:
        assert archive.getnames() == ["pax_global_header"] or "server.py" in archive.getnames()
    assert store.fetch({"git": "work", "tag": "v1"}, tmp_path) == made


def test_a_tag_that_was_moved_is_seen(tmp_path: Path, repository: Path) -> None:
    store = SourceStore(tmp_path / "cache")
    first = store.fetch({"git": str(repository), "tag": "v1"}, tmp_path)
    (repository / "server.py").write_text("print(2)\n")
    git(repository, "commit", "-qam", "two")
    git(repository, "tag", "-f", "v1")
    assert store.fetch({"git": str(repository), "tag": "v1"}, tmp_path).sha256 != first.sha256


def test_a_tarball_is_taken_by_its_digest_alone(tmp_path: Path) -> None:
    (tmp_path / "shop-1.2.tar.gz").write_bytes(b"code")
    digest = hashlib.sha256(b"code").hexdigest()
    store = SourceStore(tmp_path / "cache")
    made = store.fetch({"archive": "shop-1.2.tar.gz", "sha256": digest}, tmp_path)
    assert (made.release, made.path) == (f"shop-1.2-{digest[:8]}", tmp_path / "shop-1.2.tar.gz")
    with pytest.raises(InputError, match="not the tarball"):
        store.fetch({"archive": "shop-1.2.tar.gz", "sha256": "0" * 64}, tmp_path)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({}, "git and tag, or archive and sha256"),
        ({"git": "x", "sha256": "0" * 64}, "git and tag, or archive and sha256"),
        ({"git": "work", "tag": "v2"}, "has no tag 'v2'"),
        ({"git": "work", "tag": "--upload-pack=touch x"}, "not the name of a tag"),
        ({"git": "ext::sh -c touch% x", "tag": "v1"}, "https or ssh address"),
        ({"git": "--upload-pack=x", "tag": "v1"}, "https or ssh address"),
        ({"git": "http://x.example/y", "tag": "v1"}, "https or ssh address"),
        ({"git": "https://me:secret@x.example/y", "tag": "v1"}, "holds a password"),
        ({"archive": "https://me@x.example/y.tar", "sha256": "0" * 64}, "holds a password"),
        ({"archive": "gone.tar", "sha256": "0" * 64}, "cannot be read"),
        ({"archive": "gone.tar", "sha256": "0"}, "64 hexadecimal digits"),
    ],
)
def test_a_source_that_is_something_else_is_refused(
    tmp_path: Path, repository: Path, source: dict[str, str], told: str
) -> None:
    with pytest.raises(InputError, match=told) as caught:
        SourceStore(tmp_path / "cache").fetch(source, tmp_path)
    assert "secret" not in str(caught.value)
