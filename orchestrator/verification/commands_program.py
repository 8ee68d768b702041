"""Run on a server, a request on standard input: what do these commands say? As who it is started.

Stays within Python's standard library. Reads {"seconds": 35, "longest": 4194304, "at_once": 4, "commands":
[...]}, commands for /bin/sh, and prints a JSON list as long: [exit code, output, errors], bytes as Latin-1.
A command that takes longer than `seconds` is ended with its children: exit code 124; one that writes more
than `longest` bytes gives 125.
"""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

TOO_SLOW, TOO_LONG = 124, 125


def answer(command: str, seconds: float, longest: int) -> "tuple[int, str, str]":
    """Exit code, output and errors of one command."""
    child = subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        said = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return TOO_SLOW, "", f"did not end within {seconds} s"
    if max(map(len, said)) > longest:
        return TOO_LONG, "", f"wrote more than {longest} bytes"
    return child.returncode, said[0].decode("latin-1"), said[1].decode("latin-1")


def answers(request: "dict[str, object]") -> "list[tuple[int, str, str]]":
    """All commands of the request in their order, so many at once."""
    seconds, longest = float(str(request["seconds"])), int(str(request["longest"]))
    with ThreadPoolExecutor(int(str(request["at_once"]))) as pool:
        one = partial(answer, seconds=seconds, longest=longest)
        return list(pool.map(one, list(request["commands"])))  # type: ignore[call-overload]


if __name__ == "__main__":
    print(json.dumps(answers(json.load(sys.stdin))))
