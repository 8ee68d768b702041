"""Files as they were at a commit, for whoever asks what changed since."""

from __future__ import annotations

import tempfile
from pathlib import Path

from orchestrator.git_folder import commit_of, repository_of, tracked_text, write_folder
from orchestrator.judging.sources import Source, Whose, read_source, source_of


def earlier_source(path: Path, ref: str, whose: Whose) -> Source | None:
    """What a file or folder held at a commit; None where it was not there then. Raises InputError."""
    repository = repository_of(path)
    commit = commit_of(repository, ref)
    inside = path.resolve().relative_to(repository).as_posix()
    if not path.is_dir():
        content = tracked_text(repository, commit, inside)
        return None if content is None else source_of(path.name, content.encode(), whose)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / path.name
        folder.mkdir()
        write_folder(repository, commit, "" if inside == "." else inside, folder)
        return read_source(folder, whose)
