"""Files as they were at a commit, for whoever asks what changed since."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.errors import InputError
from orchestrator.git_folder import commit_of, differs, repository_of, tracked_text, write_folder
from orchestrator.judging.sources import Source, is_fleet


def refuse_itself(paths: Sequence[Path], ref: str) -> None:
    """Raises InputError where the ref is the commit that is judged, so that nothing can differ from it.

    Files that differ from that commit, or are not in it, can be judged against it.
    """
    for path in paths:
        repository = repository_of(path)
        inside = path.resolve().relative_to(repository).as_posix()
        if commit_of(repository, ref) != commit_of(repository, "HEAD") or differs(repository, inside):
            return
    raise InputError(
        "--changed-since", "is the commit that is judged, and nothing differs from it: no rule would run",
        rule="an earlier commit, as that of the branch that this one goes into", got=ref,
        next_step="Name that one, as --changed-since origin/main, or leave it out to judge everything.",
    )  # fmt: skip


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
