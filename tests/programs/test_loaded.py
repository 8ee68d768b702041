"""A command that is forked with its code loaded is the command: what it says and how it ends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.loaded import STEWARD, steward

MISTAKEN = "version: 1\nclient: acme\nenvironment: demo\nprovder: local\n"


@pytest.mark.parametrize(
    "words",
    [
        ("validate", "fleet.yaml"),
        ("validate", "elsewhere.yaml"),
        ("runs", "--fleet", "fleet.yaml", "--json"),
        ("--version",),
        ("--hlep",),
        (),
    ],
)
def test_it_says_what_the_started_command_says(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "fleet.yaml").write_text(MISTAKEN)
    environment = {**os.environ, "STEWARD_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}
    started = subprocess.run(
        [STEWARD, *words],
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    forked = steward(*words, env=environment, cwd=tmp_path, seconds=60)
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )


def test_one_that_takes_too_long_is_ended_and_the_next_is_answered(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(MISTAKEN)
    with pytest.raises(subprocess.TimeoutExpired):
        steward("validate", "fleet.yaml", env=os.environ, cwd=tmp_path, seconds=0)
    assert steward("validate", "fleet.yaml", env=os.environ, cwd=tmp_path, seconds=60).returncode == 2
