"""Where a path leads that a playbook names."""

from __future__ import annotations

from pathlib import PurePosixPath


def within(base: str, source: str) -> str | None:
    """The path below the folder that is judged; None where it leads out of that."""
    if source.startswith(("/", "~")):
        return None
    parts: list[str] = []
    for part in (*PurePosixPath(base).parts, *PurePosixPath(source).parts):
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return None
    return "/".join(parts)


def parents(file: str) -> list[str]:
    """The folders above a file from the nearest on; the last is the whole folder, an empty text."""
    parts = PurePosixPath(file).parts[:-1]
    return ["/".join(parts[:end]) for end in range(len(parts), -1, -1)]
