"""Looking into a running server from outside: another witness, at a tenth of the price of `podman exec`."""

from __future__ import annotations

import os
from pathlib import Path

from stacks.providers.local.edge import TABLE
from stacks.providers.local.machine import Machine
from stacks.providers.local.podman import Finished, execute
from stacks.providers.local.records import Container

NOLOGIN = "/run/nologin"
"""While it is there, systemd lets nobody but root log in."""


def unsettled(machine: Machine, container: Container) -> str:
    """What a server whose SSH answers still lacks before it may be used, or nothing."""
    if _exists(machine, container, NOLOGIN):
        return "systemd let nobody log in"
    if _in_network(machine, container, "nft", "list", "table", *TABLE.split()).code != 0:
        return "its firewall was not loaded"
    return ""


def _exists(machine: Machine, container: Container, path: str) -> bool:
    """Only whether something is there: a link in the server can lead us to a yes or no, and to no content."""
    if os.geteuid() == 0:
        return os.path.lexists(Path("/proc", str(container.pid), "root", path.lstrip("/")))
    return machine.podman.inside(container.name, "test", "-e", path).code == 0


def _in_network(machine: Machine, container: Container, *argv: str) -> Finished:
    """This machine's own program in the server's network namespace; in the server itself without root."""
    if os.geteuid() == 0:
        return execute(("nsenter", f"--net=/proc/{container.pid}/ns/net", *argv), timeout=30.0)
    return machine.podman.inside(container.name, *argv)
