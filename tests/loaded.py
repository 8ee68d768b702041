"""`steward` as a process of its own that need not load its code: forked from one that has.

Loading is half of what a command costs, and hundreds are run here. What is about how it starts, what its
environment shows to others, or how it dies starts it as a person does.
"""

from __future__ import annotations

import gc
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import NoReturn, TypedDict

ROOT = Path(__file__).resolve().parents[1]
STEWARD = Path(sys.executable).parent / "steward"
OURS = ("orchestrator", "policies", "stacks")
LATER = ("pulumi.automation", "grpc", "cryptography.x509", "ansible.parsing.dataloader", "jinja2.sandbox")
"""What others wrote and commands load when they need it."""
_REQUEST_BYTES = 1 << 20


class Request(TypedDict):
    """A command to fork."""

    argv: list[str]
    env: dict[str, str]
    cwd: str


def steward(
    *words: str, env: Mapping[str, str], cwd: Path = ROOT, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run the command in an environment and a folder; after `seconds` it is ended: TimeoutExpired."""
    argv = [str(STEWARD), *words]
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        Path(os.devnull).open() as nothing,
    ):
        told, telling = os.pipe()
        with os.fdopen(told) as answers:
            asked = json.dumps(Request(argv=argv, env=dict(env), cwd=str(cwd))).encode()
            handed = [nothing.fileno(), out.fileno(), err.fileno(), telling]
            socket.send_fds(_loaded(), [asked], handed)
            os.close(telling)
            child, code = int(answers.readline()), ""
            try:
                if not select.select([answers], [], [], seconds)[0]:
                    raise subprocess.TimeoutExpired(argv, seconds)
                code = answers.readline()
            finally:
                if not code:  # also when the test itself is interrupted
                    os.kill(child, signal.SIGKILL)
                    answers.readline()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(argv, int(code), out.read(), err.read())


@cache
def _loaded() -> socket.socket:
    """Where to ask the process that has loaded everything, one for each process of tests; it ends with it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, its):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _REQUEST_BYTES)
    with its:
        argv = [sys.executable, "-P", "-m", "tests.loaded", str(its.fileno())]
        subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()])
    return ours


def _serve(requests: socket.socket) -> None:
    """Fork a command for each request, and tell its process id and how it ended."""
    with selectors.PollSelector() as waiting:
        waiting.register(requests, selectors.EVENT_READ)
        while True:
            for ready, _ in waiting.select():
                if ready.fileobj is not requests:
                    child, telling = ready.data
                    os.write(telling, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
                    waiting.unregister(ready.fileobj)
                    os.close(telling)
                    os.close(ready.fd)
                    continue
                asked, handed, *_ = socket.recv_fds(requests, _REQUEST_BYTES, 4)
                if not asked:
                    return
                child = os.fork()
                if child == 0:
                    requests.close()
                    _become(json.loads(asked), handed)
                telling = handed.pop()
                for each in handed:
                    os.close(each)
                os.write(telling, b"%d\n" % child)
                waiting.register(os.pidfd_open(child), selectors.EVENT_READ, (child, telling))


def _become(asked: Request, handed: list[int]) -> NoReturn:
    """The command, in its own environment and folder and with its own streams; ends as it does."""
    from orchestrator.cli.main import main

    *streams, telling = handed
    os.close(telling)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.argv = asked["argv"]
    tempfile.tempdir = None
    main()


def _load() -> None:
    """Load all that commands may need, so that none has to."""
    for package in OURS:
        for module in walk_packages([str(ROOT / package)], f"{package}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    for name in LATER:
        import_module(name)
    gc.freeze()


if __name__ == "__main__":
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))
