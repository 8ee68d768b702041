"""A run that is killed leaves no record, and the next one tells of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.evidence.folder import found_in
from tests.unit.orchestrator.evidence_runs import Place, place

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.orchestrator.evidence_runs import place
with place(Path(sys.argv[1])) as there, there.run("up") as run:
    print(run.id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        yield made


def kill_one(tmp_path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-c", KILLED, str(tmp_path)], env={**os.environ}, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.strip()


def test_a_killed_run_leaves_nothing_and_the_next_one_tells_of_it(there: Place, tmp_path: Path) -> None:
    first = kill_one(tmp_path)
    assert found_in(there.settings.home) == [], "kill -9 leaves no record"
    with there.run() as run:
        assert there.lines()[-1].body == {"run": first, "found_by": run.id}, "before anything else is done"
    assert there.told() == [("run_killed", None), ("run", 0)]
    second, third = kill_one(tmp_path), kill_one(tmp_path)
    with there.run():
        pass
    assert [line.body["run"] for line in there.lines() if line.kind == "run_killed"] == [first, second, third]
    assert there.verify().ok
