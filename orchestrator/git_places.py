"""Which Git repository a path belongs to, read from the files that say so: no program is asked.

Two working trees of one repository have one common folder of Git, wherever they lie; so paths are compared by
that, and not by which folder lies in which.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LONGEST: Final = 4_096
_PARTS_OF_BARE: Final = ("HEAD", "objects", "refs")


@dataclass(frozen=True)
class GitPlace:
    """A repository as a path meets it."""

    common: Path
    """The folder of Git itself, the same for each working tree; resolved."""
    top: Path | None
    """The working tree around the path; None in a bare repository. Resolved."""


def git_places(path: Path) -> tuple[GitPlace, ...]:
    """The working trees that a path lies in, the innermost first: a submodule lies in that of its fleets too.

    A bare repository is none: its files may be committed into another, to hide which that is.
    """
    start = path.resolve()
    found = []
    for folder in (start, *start.parents):
        mark = folder / ".git"
        if mark.is_dir():
            found.append(GitPlace(_common(mark.resolve()), folder))
        elif mark.is_file() and (pointed := _pointed(mark, "gitdir:")):
            found.append(GitPlace(_common(pointed), folder))
    return tuple(found)


def repository_at(path: Path) -> GitPlace | None:
    """The repository that somebody names by a path: a bare one, or the innermost working tree around it."""
    if all((path / part).exists() for part in _PARTS_OF_BARE):
        return GitPlace(_common(path.resolve()), None)
    return next(iter(git_places(path)), None)


def _common(git_folder: Path) -> Path:
    """The folder that a working tree's own one shares with the others; itself where it shares none."""
    return _pointed(git_folder / "commondir", "") or git_folder


def _pointed(file: Path, prefix: str) -> Path | None:
    """Where a file of one line points, from where it lies."""
    with suppress(OSError, UnicodeDecodeError):
        with file.open(encoding="utf-8") as opened:
            text = opened.read(_LONGEST).rstrip("\n")
        if text.startswith(prefix):
            return (file.parent / text.removeprefix(prefix).strip()).resolve()
    return None
