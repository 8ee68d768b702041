"""Who runs this, for which change, and with which tools: what records say of a run beside its results."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from orchestrator.errors import StewardError
from orchestrator.process import run
from orchestrator.redaction import redacted_values
from orchestrator.settings import Settings

_CHANGES: Final = ("STEWARD_CHANGE", "CI_MERGE_REQUEST_IID", "GITHUB_REF")
_COMMITS: Final = ("CI_COMMIT_SHA", "GITHUB_SHA")
_SECONDS: Final = 10.0
_RULES: Final = ("catalog", "controls", "rules", "subjects")
_PARAMS: Final = ("profiles",)
_TOOLS: Final = ("pulumi", "ansible-core", "ansible-runner", "mitogen", "pytest-testinfra")


@dataclass(frozen=True)
class Origin:
    """For which change and by which rules a run works: looked up once, so that all its records name the same.

    `rules` and `params` are SHA-256 over what judges, own rules included, and over the profiles.
    """

    commit: str
    change: str
    rules: str
    params: str


def origin_of(settings: Settings, commit: str | None = None) -> Origin:
    """As files and environment say now; `commit` where it was asked for already."""
    pack = settings.policy_pack
    return Origin(
        commit=commit_of(settings.project) if commit is None else commit,
        change=change_id(),
        rules=tree_digest([*(pack / room for room in _RULES), settings.own_rules]),
        params=tree_digest([pack / room for room in _PARAMS]),
    )


def tree_digest(folders: Sequence[Path]) -> str:
    """SHA-256 over the names and contents of all files in some folders, which need not exist."""
    digest = hashlib.sha256()
    for folder in folders:
        digest.update(f"{folder.name}\0".encode())
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(folder)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def actor() -> str:
    """Who runs this: the person, or the pipeline's own name."""
    return os.environ.get("STEWARD_ACTOR") or f"{getpass.getuser()}@{socket.gethostname()}"


def command() -> list[str]:
    """What was called, as records may tell it."""
    return list(redacted_values([Path(sys.argv[0]).name, *sys.argv[1:]]))


@cache
def tool_versions() -> Mapping[str, str]:
    """Versions of what decides a run's outcome, for all records of one run alike."""
    return {name: version(name) for name in _TOOLS}


def commit_of(project: Path) -> str:
    """The commit of the project, with `-dirty` where files differ from it; '' outside of Git."""
    said = _first_set(_COMMITS)
    if said:
        return said
    argv = ["git", "-C", str(project), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = run(argv, timeout=_SECONDS, check=False)
    except StewardError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def commit_ahead(project: Path) -> Callable[[], str]:
    """Ask for the commit while something else is done; what is returned waits for it, and says it."""
    said: list[str] = []
    asking = threading.Thread(target=lambda: said.append(commit_of(project)), daemon=True)
    asking.start()

    def wait() -> str:
        asking.join()
        return said[0] if said else commit_of(project)  # what was raised there is raised here

    return wait


def change_id() -> str:
    """The merge request or branch that a pipeline works for; '' for a person."""
    return _first_set(_CHANGES)


def _first_set(names: Sequence[str]) -> str:
    return next((os.environ[name] for name in names if os.environ.get(name)), "")[:200]
