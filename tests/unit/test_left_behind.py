"""A run of real tests is alone on its machine, and ends what a killed one left; its own workers share it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.left_behind import is_of_tests

WORKER = """
import sys
from tests import left_behind
left_behind.sweep = lambda: print("swept", flush=True)
try:
    left_behind.claim(sys.argv[1])
except left_behind.OtherRunError as problem:
    sys.exit(str(problem))
print("mine", flush=True)
sys.stdin.readline()
"""
Worker = subprocess.Popen[str]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[[str], Worker]]:
    with ExitStack() as stack:

        def start(run: str) -> Worker:
            return stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WORKER, run], cwd=Path(__file__).parents[2],
                    env={**os.environ, "TMPDIR": str(tmp_path)}, text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )
            )  # fmt: skip

        yield start


def said(process: Worker) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_the_first_worker_sweeps_and_the_others_share(worker: Callable[[str], Worker]) -> None:
    first = worker("one")
    assert (said(first), said(first)) == ("swept", "mine")
    assert said(worker("one")) == "mine"


def test_another_run_is_told_who_is_there_and_comes_in_when_that_is_gone(
    worker: Callable[[str], Worker],
) -> None:
    first = worker("one")
    assert (said(first), said(first)) == ("swept", "mine")
    _, problem = worker("two").communicate(timeout=60)
    assert "run one is going on" in problem
    first.kill()
    first.wait(timeout=60)
    second = worker("two")
    assert (said(second), said(second)) == ("swept", "mine")


@pytest.mark.parametrize(
    ("name", "labels", "ours"),
    [
        ("steward-e2e-shop-db-1-ab", {"steward.client": "e2e"}, True),
        ("pbtrial-12ab-web", {}, True),
        ("steward-acme-demo-db-1-ab", {"steward.client": "acme"}, False),
        ("podman", {}, False),
    ],
)
def test_what_tests_have_made_is_known_by_name(name: str, labels: dict[str, str], ours: bool) -> None:
    assert is_of_tests(name, labels) is ours
