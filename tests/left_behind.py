"""One run of the real tests a machine, and it begins with nothing that a killed run left behind.

Servers outlive the tests that made them when these are killed, and their networks are in the way of the next
run. A lock that ends with its process tells the two apart: whoever gets it alone is the only run there is, so
what bears the names of tests belongs to nobody.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

CLIENTS = ("e2e", "faults", "prov61", "shelf", "twin", "wheel")
"""Clients of the fleets that tests make; nobody else's fleet is called so."""
TRIALS = ("pbtrial-", "pbhard-")
"""How the networks, containers and volumes begin that tests of playbooks make without a fleet."""
_LISTS = {"container": ("ps", "--all"), "network": ("network", "ls"), "volume": ("volume", "ls")}
_ENDS = {
    "container": ("rm", "--force", "--time", "0"),
    "network": ("network", "rm", "--force"),
    "volume": ("volume", "rm", "--force"),
}
_held: list[int] = []


class OtherRunError(Exception):
    """Real tests of another run are going on; two would take each other's networks."""


def claim(run: str = "") -> None:
    """Hold the machine for this run (all its workers share it), and end what a killed run left behind."""
    if _held:
        return
    run = run or os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"process {os.getpid()}"
    path = Path(tempfile.gettempdir()) / f"steward-real-tests-{os.getuid()}.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_SH)  # once the first worker has cleaned up
    else:
        sweep()
        os.truncate(lock, 0)
        os.pwrite(lock, run.encode(), 0)
        fcntl.flock(lock, fcntl.LOCK_SH)
    holder = os.pread(lock, 200, 0).decode()
    if holder != run:
        os.close(lock)
        raise OtherRunError(f"{path}: run {holder} is going on. Wait for its end, or stop it.")
    _held.append(lock)


def sweep() -> None:
    """Remove what bears the names of tests, containers first."""
    for kind, words in _LISTS.items():
        done = subprocess.run(
            ["podman", *words, "--format", "json"], capture_output=True, text=True, check=True, timeout=60
        )
        for entry in json.loads(done.stdout or "[]") or []:
            name = _name(entry)
            if is_of_tests(name, entry.get("Labels") or entry.get("labels") or {}):
                subprocess.run(
                    ["podman", *_ENDS[kind], name], capture_output=True, text=True, check=True, timeout=120
                )


def is_of_tests(name: str, labels: Mapping[str, str]) -> bool:
    """Whether tests have made it."""
    return labels.get("steward.client") in CLIENTS or name.startswith(TRIALS)


def _name(entry: Mapping[str, object]) -> str:
    names = entry.get("Names")
    return str(names[0] if isinstance(names, list) and names else entry.get("Name") or entry.get("name"))
