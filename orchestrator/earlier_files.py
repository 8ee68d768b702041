"""Files as they were at a commit, for whoever asks what changed since."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from orchestrator.git_folder import commit_of, repository_of, tracked_text, write_folder
from orchestrator.judging.sources import Source, is_fleet


def earlier(path: Path, ref: str, read: Callable[[Path], Source]) -> Source | None:
    """What a file or folder held at a commit; None where it was not there then. Raises InputError."""
    repository = repository_of(path)
    commit = commit_of(repository, ref)
    inside = path.resolve().relative_to(repository)
    with tempfile.TemporaryDirectory() as scratch:
        then = Path(scratch) / path.resolve().name
        if path.is_dir():
            then.mkdir()
            write_folder(repository, commit, "" if inside == Path() else inside.as_posix(), then)
            return read(then) if any(then.iterdir()) else None
        text = tracked_text(repository, commit, inside.as_posix())
        if text is None:
            return None
        if is_fleet(path):  # it may include what lies beside it
            below = "" if inside.parent == Path() else inside.parent.as_posix()
            write_folder(repository, commit, below, then.parent)
        else:
            then.write_text(text, encoding="utf-8", newline="")
        return read(then)
