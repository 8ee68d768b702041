"""The branch upstream of a Git checkout, asked at its remote: copies of it on this machine prove nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from orchestrator.errors import InputError, StewardError, ToolError
from orchestrator.process import run

ASKED: Final = "refs/steward/asked"
"""Where the answer is kept: apart from branches, the index and the files of the checkout."""
_SECONDS: Final = 30
_SILENT: Final = {"GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never", "SSH_ASKPASS_REQUIRE": "never"}
_OTHERS: Final = ("GIT_ASKPASS", "SSH_ASKPASS", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
"""Of the caller's environment: what would ask a person, or mean another repository."""
_NO_SIDE_EFFECTS: Final = ("-c", "core.askPass=", "-c", "core.hooksPath=/dev/null")
_FETCH: Final = (
    "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
    "--no-auto-maintenance", "--refmap=",
)  # fmt: skip


def fetch(folder: Path) -> str:
    """Bring the branch upstream from its remote to ASKED; returns the remote's address.

    Nothing else in the checkout changes, and nobody is asked for a password. Raises StewardError where the
    remote cannot be asked, or there is none elsewhere.
    """
    remote, ref = _upstream(folder)
    address = git(folder, "remote", "get-url", remote).strip()
    git(folder, *_NO_SIDE_EFFECTS, *_FETCH, "--", remote, f"+{ref}:{ASKED}")
    return _without_password(address)


def git(folder: Path, *words: str) -> str:
    """What git says in a folder; raises StewardError."""
    return run(["git", "-C", str(folder), *words], timeout=_SECONDS, env=_environment()).stdout


def shown(folder: Path, name: str) -> str:
    """An object of the repository as text, '' where there is none."""
    try:
        return git(folder, "show", name)
    except StewardError:
        return ""


def reason(problem: StewardError) -> str:
    """Why the remote could not be asked, in one line."""
    said = problem.got if isinstance(problem, ToolError) and problem.got else problem.message
    return (said.strip().splitlines() or [problem.message])[-1][:200]


def _upstream(folder: Path) -> tuple[str, str]:
    """Name of the remote, and the branch's full name there."""
    branch = git(folder, "symbolic-ref", "--quiet", "HEAD").strip()
    words = git(folder, "for-each-ref", "--format=%(upstream:remotename) %(upstream:remoteref)", branch)
    remote, _, ref = words.strip().partition(" ")
    if not ref or remote == ".":
        raise InputError(
            "anchor", "the checkout has no branch upstream at a remote", place=str(folder),
            next_step="Push it once with: git push --set-upstream REMOTE BRANCH",
        )  # fmt: skip
    return remote, ref


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    if not parts.scheme or "@" not in parts.netloc:
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OTHERS} | _SILENT
