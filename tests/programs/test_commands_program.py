"""The program that asks a host several things at once, run as a host runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files

import pytest

PROGRAM = files("orchestrator.verification").joinpath("commands_program.py").read_text()


def asked(
    *commands: str, seconds: float = 20, in_all: float = 40, longest: int = 1000
) -> list[tuple[int | None, str, str]]:
    request = {"seconds": seconds, "seconds_in_all": in_all, "longest": longest, "commands": commands}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(request), capture_output=True, text=True,
        timeout=50, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return [(code, out, errors) for code, out, errors in json.loads(done.stdout)]


def test_each_command_is_answered_in_its_place() -> None:
    found = asked("echo one", "echo two >&2; exit 3", r"printf '\377\n'", "cat", "exit 124", "exec >&- 2>&-")
    assert found == [
        (0, "one\n", ""), (3, "", "two\n"), (0, "\xff\n", ""), (0, "", ""), (124, "", ""), (0, "", ""),
    ]  # fmt: skip


def test_nothing_asked_is_nothing_answered() -> None:
    assert asked() == []


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("sleep 60", "did not end within 0.3 s"),
        ("sleep 60 & wait", "did not end within 0.3 s"),
        ("setsid sleep 3 & sleep 60", "did not end within 0.3 s"),
        ("exec >&- 2>&-; sleep 60", "did not end within 0.3 s"),
        ("head -c 2000 /dev/zero", "wrote more than 1000 bytes"),
        ("yes", "wrote more than 1000 bytes"),
        ("yes >&2", "wrote more than 1000 bytes"),
        ("kill -9 $$", "was ended by signal 9"),
        ("echo \0", "did not begin: embedded null byte"),
    ],
)
def test_what_nobody_knows_has_no_exit_code_and_hides_no_other(command: str, why: str) -> None:
    assert asked(command, "echo here", seconds=0.3) == [(None, "", why), (0, "here\n", "")]


def test_what_would_begin_after_the_time_for_all_is_told() -> None:
    first, second = asked("sleep 60", "echo here", in_all=0.3)
    assert (first[0], second[0]) == (None, None)
    assert second[2] == "was not begun: the commands before it took all the time"
