"""The program that asks a host several things at once, run as a host runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files

import pytest

PROGRAM = files("orchestrator.verification").joinpath("commands_program.py").read_text()


def asked(*commands: str, seconds: float = 20, longest: int = 1000) -> list[tuple[int, str, str]]:
    request = {"seconds": seconds, "longest": longest, "at_once": 2, "commands": commands}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(request), capture_output=True, text=True,
        timeout=50, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return [(code, out, errors) for code, out, errors in json.loads(done.stdout)]


def test_each_command_is_answered_in_its_place() -> None:
    found = asked("echo one", "echo two >&2; exit 3", r"printf '\377\n'", "kill -9 $$", "cat")
    assert found == [(0, "one\n", ""), (3, "", "two\n"), (0, "\xff\n", ""), (-9, "", ""), (0, "", "")]


def test_nothing_asked_is_nothing_answered() -> None:
    assert asked() == []


@pytest.mark.parametrize("command", ["sleep 60", "sleep 60 & wait", "setsid sleep 3 & sleep 60"])
def test_a_command_that_takes_too_long_is_ended_and_hides_no_other(command: str) -> None:
    assert asked(command, "echo here", seconds=0.3) == [
        (124, "", "did not end within 0.3 s"),
        (0, "here\n", ""),
    ]


def test_a_command_that_writes_more_than_it_may_gives_no_text() -> None:
    assert asked("echo here", "head -c 2000 /dev/zero")[1] == (125, "", "wrote more than 1000 bytes")
