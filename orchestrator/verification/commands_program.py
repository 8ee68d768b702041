"""Run on a server, a request on standard input: what do these commands say? As who it is started.

Stays within Python's standard library. Reads {"seconds": 35, "seconds_in_all": 240, "longest": 4194304,
"commands": [...]}, commands for /bin/sh, and runs one after the other, since two of them may take the same
lock. Prints a JSON list as long: [exit code, output, errors], bytes as Latin-1. Where nobody knows what a
command would have said the exit code is null, and the errors say why: it took too long, wrote more than
`longest` bytes, was ended by a signal, or did not begin.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress

PIECE = 65_536


def answer(command: str, seconds: float, longest: int) -> "tuple[int | None, str, str]":
    """Exit code, output and errors of one command."""
    if seconds <= 0:
        return None, "", "was not begun: the commands before it took all the time"
    try:
        child = subprocess.Popen(
            ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as problem:
        return None, "", f"did not begin: {problem}"
    try:
        out, errors = said(child, time.monotonic() + seconds, longest)
    except (TimeoutError, subprocess.TimeoutExpired):
        return given_up(child, f"did not end within {seconds:.3g} s")
    except OverflowError:
        return given_up(child, f"wrote more than {longest} bytes")
    if child.returncode < 0:
        return None, "", f"was ended by signal {-child.returncode}"
    return child.returncode, out.decode("latin-1"), errors.decode("latin-1")


def said(child: "subprocess.Popen[bytes]", end: float, longest: int) -> "tuple[bytearray, bytearray]":
    """All that a child writes until it ends; raises TimeoutError and OverflowError."""
    streams = [each for each in (child.stdout, child.stderr) if each]
    found = bytearray(), bytearray()
    with selectors.DefaultSelector() as reading:
        for stream, text in zip(streams, found, strict=True):
            reading.register(stream, selectors.EVENT_READ, text)
        while reading.get_map():
            ready = reading.select(max(0.0, end - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                piece = os.read(key.fd, PIECE)
                key.data.extend(piece)
                if len(key.data) > longest:
                    raise OverflowError
                if not piece:
                    reading.unregister(key.fileobj)
    child.wait(max(0.01, end - time.monotonic()))
    return found


def given_up(child: "subprocess.Popen[bytes]", why: str) -> "tuple[int | None, str, str]":
    """End a command with its children; one that sleeps in the kernel is not waited for."""
    os.killpg(child.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        child.wait(1)
    return None, "", why


def answers(request: "dict[str, object]") -> "list[tuple[int | None, str, str]]":
    """All commands of the request in their order."""
    seconds, longest = float(str(request["seconds"])), int(str(request["longest"]))
    end = time.monotonic() + float(str(request["seconds_in_all"]))
    commands = list(request["commands"])  # type: ignore[call-overload]
    return [answer(each, min(seconds, end - time.monotonic()), longest) for each in commands]


if __name__ == "__main__":
    print(json.dumps(answers(json.load(sys.stdin))))
