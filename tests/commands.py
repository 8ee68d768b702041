"""Steward's command line without a process of its own, for tests of what it says and not of how it starts."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO
from unittest import mock

from orchestrator import process
from orchestrator.cli import output
from orchestrator.cli.main import run
from orchestrator.command_lines import tell_to
from orchestrator.settings import forget_foreign


def steward(
    *words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What `steward` with these words would print in a folder and an environment, and its exit code."""
    given = dict(os.environ if env is None else env)
    forget_foreign(given)
    with (
        _printed() as out,
        _printed() as err,
        _as_if_alone(),
        mock.patch.dict(os.environ, given, clear=True),
        chdir(cwd or Path.cwd()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = run(list(words))
        return subprocess.CompletedProcess(words, code, _read(out), _read(err))


@contextmanager
def _as_if_alone() -> Iterator[None]:
    """With an output, children and an answer to signals of its own; then all is as it was before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with (
            mock.patch.object(output._Stdout, "used", False),
            mock.patch.object(process, "_live", set()),
            # What lives for half a second may leave its garbage; the process of tests may not.
            mock.patch.object(gc, "disable"),
            mock.patch.object(gc, "freeze"),
        ):
            yield
    finally:
        tell_to(None)
        for number, handler in before.items():
            signal.signal(number, handler)


def _printed() -> TextIO:
    """A file and no text in memory: what watches rules for their time writes past Python's own streams."""
    return tempfile.TemporaryFile("w+", encoding="utf-8")


def _read(file: TextIO) -> str:
    file.seek(0)
    return file.read()
