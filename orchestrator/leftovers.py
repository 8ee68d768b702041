"""Ending on the hosts what an interrupted play left there, found by the run id in its environment."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from orchestrator.errors import ToolError
from orchestrator.parallel import for_each
from orchestrator.ports.hosts import PYTHON_AS_ROOT, HostShell
from stacks.outputs import ServerOutput

_SECONDS = 20.0

_SCRIPT = r"""
import os, signal, sys
mark = b"STEWARD_RUN=" + sys.argv[1].encode()
own = {os.getpid(), os.getppid()}
def found():
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in own:
            continue
        try:
            with open("/proc/" + name + "/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    yield int(name)
        except OSError:
            continue
ended = set()
for number in (signal.SIGTERM, signal.SIGKILL):
    for _ in range(30):
        pids = list(found())
        if not pids:
            break
        for pid in pids:
            try:
                os.kill(pid, number)
                ended.add(pid)
            except ProcessLookupError:
                pass
        signal.sigtimedwait([], 0.1)
print(len(ended))
"""


def end_leftovers(shell: HostShell, servers: Sequence[ServerOutput], run: str) -> list[str]:
    """Kill every process of the run on every server; returns a problem per server out of reach."""

    def end(server: ServerOutput, _stopping: Event) -> str:
        try:
            shell.run(server, [*PYTHON_AS_ROOT, "-c", _SCRIPT, run], timeout=_SECONDS)
        except ToolError as problem:
            return str(problem)
        return ""

    return [problem for problem in for_each(servers, end) if problem]
