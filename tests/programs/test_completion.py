"""What the real command offers a shell at TAB."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STEWARD = Path(sys.executable).parent / "steward"
DEMO = "stacks/fleets/demo.yaml"


def offered(line: str, home: Path) -> list[str]:
    """Completions of the last, half-typed word, as bash asks for them."""
    words = line.split(" ")
    env = {**os.environ, "STEWARD_HOME": str(home), "_STEWARD_COMPLETE": "complete_bash"}
    env |= {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run([STEWARD], env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("steward dest", ["destroy"]),
        (f"steward verify --fleet {DEMO} --host we", ["web-1", "web-2"]),
        (f"steward backup run --fleet {DEMO} --plan da", ["databases"]),
        ("steward policy explain network.ssh", ["network.ssh-not-public"]),
        ("steward verify --fleet no-such.yaml --host we", []),
        ("steward verify --host we", []),
        ("steward report 01", []),
    ],
)
def test_names_are_offered_where_they_are_known(line: str, expected: list[str], tmp_path: Path) -> None:
    assert offered(line, tmp_path / "home") == expected
