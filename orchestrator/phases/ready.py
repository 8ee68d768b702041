"""ready: wait until a server can truly be configured, and name the step that never came.

TCP → SSH with the pinned key → init finished → package lock free → probe; bounded as a whole.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from threading import Event
from time import monotonic

from orchestrator.errors import ToolError
from orchestrator.parallel import for_each
from orchestrator.phases.diagnose import diagnose_gate
from orchestrator.ports.hosts import PYTHON_AS_ROOT, HostShell
from orchestrator.ports.run import Say
from orchestrator.results import Readiness
from stacks.outputs import ServerOutput

GATE_SECONDS = 180.0
"""Unless STEWARD_READY_SECONDS says otherwise."""
_POLL_SECONDS = 0.25
STANDING_SECONDS = 20.0
"""How long a server that was there before may take to answer."""
_PARALLEL = 32
_WRONG_HOST_KEY = "Host key verification failed"
_LONGEST_DETAIL = 200

STEPS = ("tcp", "ssh", "init", "package-lock", "probe")
_MEANING = {
    "tcp": "the SSH port did not accept a connection",
    "ssh": "SSH did not let us in with the pinned host key and the stack's admin key",
    "init": "systemd did not finish starting",
    "package-lock": "the package lock did not become free",
    "probe": "becoming root and writing a file did not work",
}

_SCRIPT = r"""
import fcntl, os, subprocess, sys, time, signal
deadline = time.monotonic() + float(sys.argv[1])
def wait(step, done):
    said = ""
    while True:
        ok, said = done()
        if ok:
            print("passed", step, flush=True)
            return
        if time.monotonic() > deadline:
            print("stuck", step, said, flush=True)
            sys.exit(1)
        signal.sigtimedwait([], 0.2)
def init():
    state = subprocess.run(["systemctl", "is-system-running"], capture_output=True, text=True).stdout.strip()
    return state in ("running", "degraded"), state
def lock():
    for path in ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"):
        try:
            with open(path, "a") as file:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False, path + " is held"
    return True, ""
def probe():
    path = "/var/tmp/.steward-probe"
    try:
        with open(path, "w") as file:
            file.write("x")
        os.unlink(path)
    except OSError as problem:
        return False, str(problem)
    return os.geteuid() == 0, "not root"
wait("init", init)
wait("package-lock", lock)
wait("probe", probe)
"""


def ready(
    servers: Sequence[ServerOutput],
    shell: HostShell,
    say: Say,
    *,
    limit_seconds: float = GATE_SECONDS,
    connect_seconds: float = GATE_SECONDS,
) -> Sequence[Readiness]:
    """Pass every server through the gate, all at once; one that does not pass does not stop the others.

    `connect_seconds` bounds the wait for TCP and SSH: short for servers that were there before this run.
    """

    def gate(server: ServerOutput, stopping: Event) -> Readiness:
        return _gate(server, shell, limit_seconds, min(connect_seconds, limit_seconds), stopping)

    results = diagnose_gate(for_each(servers, gate, at_once=_PARALLEL), servers, shell)
    for result in results:
        if result.missing:
            say(f"{result.server}: {result.message}")
    return results


def silent(servers: Sequence[ServerOutput]) -> list[str]:
    """Servers that do not accept a connection right now; asked once, waits for nothing."""
    said = for_each(servers, lambda server, _: _tcp(server), at_once=_PARALLEL)
    return [server.name for server, problem in zip(servers, said, strict=True) if problem]


def _gate(
    server: ServerOutput, shell: HostShell, limit_seconds: float, connect_seconds: float, stopping: Event
) -> Readiness:
    began = monotonic()
    deadline = began + connect_seconds
    step, detail = "tcp", _until(deadline, stopping, lambda: _tcp(server))
    if not detail:
        step, detail = "ssh", _until(deadline, stopping, lambda: _login(server, shell))
    if not detail:
        step, detail = _rest(server, shell, max(1.0, began + limit_seconds - monotonic()))
    took = monotonic() - began
    if not step:
        return Readiness(server.name, took)
    message = f"not ready after {took:.0f} s: {_MEANING[step]}" + (f" ({detail})" if detail else "")
    return Readiness(server.name, took, step, message)


def _rest(server: ServerOutput, shell: HostShell, limit_seconds: float) -> tuple[str, str]:
    """What is looked at on the host itself: the step that never came and why, or two times ''."""
    argv = [*PYTHON_AS_ROOT, "-c", _SCRIPT, f"{limit_seconds:.1f}"]
    try:
        done = shell.run(server, argv, timeout=limit_seconds + 15, check=False)
    except ToolError as problem:
        return "ssh", problem.message
    if done.returncode == 0:
        return "", ""
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        step, _, said = rest.partition(" ")
        if word == "stuck" and step in _MEANING:
            return step, said[:_LONGEST_DETAIL]
    return "probe", " ".join(done.stderr.split())[:_LONGEST_DETAIL]


def _until(deadline: float, stopping: Event, attempt: Callable[[], str]) -> str:
    """Repeat until the attempt says '' or the deadline passes; returns what it said last.

    A host key that is not the pinned one will not become it: that ends the wait at once.
    """
    while detail := attempt():
        if stopping.is_set() or monotonic() > deadline or _WRONG_HOST_KEY in detail:
            return detail
        stopping.wait(_POLL_SECONDS)
    return ""


def _tcp(server: ServerOutput) -> str:
    try:
        socket.create_connection((server.ssh_host, server.ssh_port), timeout=3).close()
    except OSError as problem:
        return f"{server.ssh_host}:{server.ssh_port}: {problem}"
    return ""


def _login(server: ServerOutput, shell: HostShell) -> str:
    try:
        shell.run(server, ["true"], timeout=20)
    except ToolError as problem:
        return problem.message
    return ""
