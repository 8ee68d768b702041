"""Command lines for a person who asked: whole, in words of a shell, without secrets, and only while asked."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

import pytest

from orchestrator import command_lines, process
from orchestrator.cli.progress import PlainProgress, progress
from orchestrator.redaction import know


@pytest.fixture
def heard() -> Iterator[list[str]]:
    lines: list[str] = []
    command_lines.tell_to(lines.append)
    yield lines
    command_lines.tell_to(None)


def test_what_is_run_and_what_is_started_is_told_before_it_works(heard: list[str]) -> None:
    argv = [sys.executable, "-P", "-c", "print('a b')"]
    process.run(argv, timeout=10, stdin="not told")
    child = process.start(argv)
    child.wait()
    assert [shlex.split(line) for line in heard] == [argv, argv]


def test_secrets_are_hidden(heard: list[str]) -> None:
    know("a-known-secret-of-these-tests")
    process.run(["true", "--token=a-known-secret-of-these-tests", "given"], timeout=10, redact=["given"])
    assert heard == ["true --token=[redacted] [redacted]"]


def test_one_that_carries_a_program_is_cut(heard: list[str]) -> None:
    process.run(["true", "x" * 3_000], timeout=10)
    (line,) = heard
    assert line == f"true {'x' * (command_lines.LONGEST - 5)} … and 1005 characters more"


def test_nobody_is_told_who_did_not_ask(heard: list[str]) -> None:
    assert command_lines.are_told()
    command_lines.tell_to(None)
    process.run(["true"], timeout=10)
    assert (heard, command_lines.are_told()) == ([], False)


def test_while_they_are_told_nothing_on_the_screen_is_redrawn(
    heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    assert isinstance(progress(), PlainProgress)
