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


def key_add_argv(restic: Path, repository: Path, password_file: Path, new_password_file: Path) -> list[str]:
    """Let another password open a repository in a local folder."""
    with_old = ["--repo", str(repository), "--password-file", str(password_file), "--no-cache"]
    return [str(restic), "key", "add", *with_old, "--new-password-file", str(new_password_file)]


def key_list_argv(restic: Path, repository: Path, password_file: Path) -> list[str]:
    """Its keys as JSON; the one that the password opens is marked as current."""
    with_old = ["--repo", str(repository), "--password-file", str(password_file), "--no-cache"]
    return [str(restic), "key", "list", "--json", "--no-lock", *with_old]


def snapshots_argv(restic: Path, repository: Path, password_file: Path) -> list[str]:
    """Every snapshot of a repository in a local folder as JSON; of the content nothing needs to be there."""
    with_password = ["--repo", str(repository), "--password-file", str(password_file), "--no-cache"]
    return [str(restic), "snapshots", "--json", "--no-lock", *with_password]


def repository_url(address: str, port: int, user: str) -> str:
    """Where a host reaches its own repository: below the name of its HTTP user."""
    return f"https://{address}:{port}/{user}/"
