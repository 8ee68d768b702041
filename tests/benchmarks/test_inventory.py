"""The figure for a thousand servers holds, in a process of its own; a busy machine gets a second and a third try."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_thousand_servers_in_two_seconds_and_300_mib() -> None:
    said = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tests.benchmarks.inventory"],
            cwd=Path(__file__).parents[2], env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        said.append(done.stdout + done.stderr)
        if done.returncode == 0:
            print(done.stdout)
            return
    raise AssertionError("\n".join(said))
