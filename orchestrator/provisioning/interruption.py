"""Ending the Pulumi CLI when a run is stopped: the SDK starts it, so nobody else would."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic

_GRACE_SECONDS = (30.0, 5.0)
"""After the first SIGINT Pulumi finishes what it began and saves its state; at the second it only saves."""


@contextmanager
def pulumi_ends_with_us() -> Iterator[None]:
    """When the block is left by an error or a stop, no `pulumi` child of this process is left running."""
    try:
        yield
    except BaseException:
        with readers_end_in_silence():
            end_pulumi()
        raise


@contextmanager
def readers_end_in_silence() -> Iterator[None]:
    """The SDK's threads that read what Pulumi prints find it closed; a person need not see how they end."""
    before = threading.excepthook

    def quiet(ended: threading.ExceptHookArgs) -> None:
        if not (ended.exc_type is ValueError and "closed file" in str(ended.exc_value)):
            before(ended)

    threading.excepthook = quiet
    try:
        yield
    finally:
        threading.excepthook = before


def end_pulumi() -> None:
    """Ask every Pulumi child to stop, then insist; returns when none is left."""
    for grace in _GRACE_SECONDS:
        for pid in _children():
            _signal(pid, signal.SIGINT)
        if _gone(grace):
            return
    for pid in _children():
        _signal(pid, signal.SIGKILL)
    _gone(5.0)


def _children() -> list[int]:
    """Living direct children of this process that are the Pulumi CLI."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in _started_by(task):
            with suppress(OSError):  # it ended while we looked
                name, state = _name_and_state(pid)
                if name == "pulumi" and state != "Z":
                    found.append(pid)
    return found


def _started_by(task: Path) -> list[int]:
    try:
        return [int(word) for word in (task / "children").read_text().split()]
    except OSError:
        return []  # a thread that is over has no children: the kernel gave them to another one


def _name_and_state(pid: int) -> tuple[str, str]:
    text = Path(f"/proc/{pid}/stat").read_text()
    name, rest = text.rsplit(")", 1)
    return name.split("(", 1)[1], rest.split()[0]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _gone(seconds: float) -> bool:
    pause, deadline = Event(), monotonic() + seconds
    while _children():
        if monotonic() > deadline:
            return False
        pause.wait(0.1)
    return True
