"""Who runs this, for which change, and with which tools: what records say of a run beside its results."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from orchestrator.errors import StewardError
from orchestrator.process import run

_CHANGES: Final = ("STEWARD_CHANGE", "CI_MERGE_REQUEST_IID", "GITHUB_REF")
_COMMITS: Final = ("CI_COMMIT_SHA", "GITHUB_SHA")
_SECONDS: Final = 10.0
_TOOLS: Final = ("pulumi", "ansible-core", "ansible-runner", "mitogen", "pytest-testinfra")


def actor() -> str:
    """Who runs this: the person, or the pipeline's own name."""
    return os.environ.get("STEWARD_ACTOR") or f"{getpass.getuser()}@{socket.gethostname()}"


def tool_versions() -> dict[str, str]:
    """Versions of what decides a run's outcome."""
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


def change_id() -> str:
    """The merge request or branch that a pipeline works for; '' for a person."""
    return _first_set(_CHANGES)


def _first_set(names: Sequence[str]) -> str:
    return next((os.environ[name] for name in names if os.environ.get(name)), "")[:200]
