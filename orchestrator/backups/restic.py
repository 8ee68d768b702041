"""restic: argument lists, and which files a new repository consists of. Pure; `vault.py` runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def init_argv(restic: Path, repository: Path, password_file: Path) -> list[str]:
    """Make an empty repository in a local folder."""
    return [str(restic), "init", "--quiet", "--repo", str(repository), "--password-file", str(password_file)]


def repository_files(repository: Path) -> Iterator[str]:
    """The files a fresh repository has, relative to it: its configuration and its keys."""
    yield "config"
    for key in sorted((repository / "keys").iterdir()):
        yield f"keys/{key.name}"


def repository_url(address: str, port: int, repository: str) -> str:
    """Where a host reaches its own repository; the id is also its HTTP user."""
    return f"https://{address}:{port}/{repository}/"
