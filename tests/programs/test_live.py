"""The live view on a real terminal: a pseudo-terminal whose screen pyte keeps."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pexpect
import pyte
import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import sys
from datetime import UTC, datetime
from orchestrator.cli.progress import progress
from orchestrator.pipelines.step import Step
from orchestrator.progress import EarlierRun, HostProgress
from orchestrator.reporting.model import Step as Record, StepState

def record(state, message):
    began = datetime.now(UTC)
    return Record(
        name="configure", phase="configure", state=state, started_at=began, duration_seconds=9,
        message=message
    )

view, step = progress(), Step("configure", "configure", "write", lambda: None)
view.begun(lambda: [EarlierRun([("configure", 300.0)], {"web-1": 40})])
view.started(step)
view.say("installing \\x1b[2J a package with a name that is longer than any window could ever be wide " * 3)
for number in range(1, 31):
    state = "failed" if number == 7 else "working"
    view.host(HostProgress(f"web-{number}", state, number, 0, "nginx : Install the server"))
sys.stdin.readline()
view.ended(step, record(StepState.DONE, "ready"))
sys.stdin.readline()
"""


_DECIDE_THE_VIEW = {"CI", "NO_COLOR", "COLUMNS", "LINES"}
_SECONDS = 60.0


class Terminal:
    """A program on a terminal of its own size."""

    def __init__(self, columns: int, lines: int, **environment: str) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        env = {key: value for key, value in os.environ.items() if key not in _DECIDE_THE_VIEW}
        env |= {"TERM": "xterm-256color", **environment}
        self._child = pexpect.spawn(
            sys.executable, ["-P", "-c", RUN], cwd=str(ROOT), env=env,
            dimensions=(lines, columns), timeout=30, echo=False,
        )  # fmt: skip

    def until(self, wanted: Callable[[list[str]], bool]) -> list[str]:
        """The screen's lines as soon as they are as wanted; a frame may come in several pieces."""
        deadline = monotonic() + _SECONDS
        while not wanted(lines := [line.rstrip() for line in self.screen.display if line.strip()]):
            assert monotonic() < deadline, "\n".join(lines)
            try:
                piece = self._child.read_nonblocking(65536, timeout=_SECONDS)
            except (pexpect.TIMEOUT, pexpect.EOF) as ended:
                raise AssertionError("\n".join(lines)) from ended
            self.bytes += piece
            self._stream.feed(piece)
        return lines

    def enter(self) -> None:
        """Let the program go on."""
        self._child.sendline("")

    def close(self) -> None:
        """End the program."""
        self._child.close(force=True)


@pytest.mark.parametrize(("columns", "lines"), [(100, 40), (60, 24), (30, 10)])
def test_hosts_fit_every_window_and_leave_no_trace(columns: int, lines: int) -> None:
    terminal = Terminal(columns, lines)
    try:
        last = "more:" if lines < 40 else "web-30"
        shown = terminal.until(lambda screen: any(last in line for line in screen))
        assert len(shown) <= lines
        assert any(line.startswith("  ✗ web-7") for line in shown[:3]), shown
        if columns >= 60:
            assert any("about 5 min left" in line for line in shown)
            assert any(line.startswith("  · web-1 ") and "1/40" in line for line in shown)
        terminal.enter()
        terminal.until(lambda screen: screen == ["✓ configure     9.0 s  ready"])
    finally:
        terminal.close()


def test_no_color_means_none() -> None:
    painted, plain = Terminal(80, 40), Terminal(80, 40, NO_COLOR="1")
    try:
        for terminal in (painted, plain):
            terminal.until(lambda screen: any("web-30" in line for line in screen))
        assert b"\x1b[1;31m" in painted.bytes
        assert b"[1;31m" not in plain.bytes
        assert b"31m" not in plain.bytes
    finally:
        painted.close()
        plain.close()
