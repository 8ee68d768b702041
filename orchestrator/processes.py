"""Which process is which on this machine: a number alone is given again after its process ended."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_START_TIME = 19
"""Field `starttime` of proc_pid_stat(5), counted from the one after the name."""


def boot_id() -> str:
    """The id of this boot of the machine."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "unknown"


def start_ticks(pid: int) -> int | None:
    """When a process began, in clock ticks since the boot; None when it is over (a zombie is)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] == "Z" else int(fields[_START_TIME])


def started_at(pid: int) -> datetime | None:
    """When a process began, as wall time; None when it is over. Right to about a second."""
    ticks = start_ticks(pid)
    if ticks is None:
        return None
    up = float(Path("/proc/uptime").read_text().split()[0])
    return datetime.now(UTC) - timedelta(seconds=up - ticks / os.sysconf("SC_CLK_TCK"))


def name_of(pid: int) -> str:
    """The short name of a process, '' when it is over."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return ""
