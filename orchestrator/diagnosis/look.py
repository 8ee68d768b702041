"""Run on a failed host as root, from standard input: what commonly stands in the way of a task.

Stays within Python's standard library and Python 3.9, changes nothing, ends within LIMIT seconds. Arguments
are the systemd units to look at. Prints one JSON document, see `orchestrator.diagnosis.sight`.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

LIMIT = 12
BETWEEN_STARTS = 2.0
"""Seconds that a unit which died before is watched for dying again."""
FOLDERS = (
    "/", "/var", "/var/lib", "/var/cache/apt/archives", "/var/lib/apt/lists", "/var/lib/dpkg", "/var/log",
    "/tmp", "/var/tmp", "/run", "/etc", "/home", "/usr", "/opt", "/boot", "/srv", "/srv/backup", "/var/www",
    "/var/lib/postgresql",
)  # fmt: skip
LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
SOURCE = re.compile(r"\b(https?)://([A-Za-z0-9.-]+)(?::(\d+))?")
MOST = 8
"""Of everything: units, lines, mirrors. A person reads one."""


def said(*argv: str) -> str:
    """Standard output of a program, '' when it is not there or does not end."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def disks() -> list[dict[str, Any]]:
    """Each file system where things are written, once, under the first folder that shows it."""
    found: dict[int, dict[str, Any]] = {}
    for folder in FOLDERS:
        try:
            room, device = os.statvfs(folder), os.stat(folder).st_dev
        except OSError:
            continue
        if device not in found and room.f_blocks:
            found[device] = {
                "mount": folder,
                "total": room.f_blocks * room.f_frsize,
                "free": room.f_bavail * room.f_frsize,
                "inodes_left": room.f_favail if room.f_files else None,
                "read_only": bool(room.f_flag & os.ST_RDONLY),
            }
    return list(found.values())


def age(pid: int) -> float:
    """Seconds since a process began."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        ticks = int(file.read().rsplit(")", 1)[1].split()[19])
    with open("/proc/uptime", encoding="ascii") as file:
        return float(file.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


def locks() -> Iterator[dict[str, Any]]:
    """Who holds a lock of the package system, by the inodes in /proc/locks."""
    inodes = {}
    for path in LOCKS:
        try:
            inodes[os.stat(path).st_ino] = path
        except OSError:
            continue
    with open("/proc/locks", encoding="ascii") as file:
        rows = [line.split() for line in file]
    for row in rows:
        inode = int(row[5].rsplit(":", 1)[1]) if len(row) > 5 and "->" not in row else 0
        pid = int(row[4]) if inode in inodes else 0
        try:
            if pid > 0:
                with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                    name = file.read().strip()
                yield {"path": inodes[inode], "pid": pid, "program": name, "seconds": age(pid)}
        except OSError:
            continue  # it ended meanwhile


def half_installed() -> list[str]:
    """Packages that an interrupted installation left behind; `?` when only its journal is left."""
    names, name = [], ""
    with open("/var/lib/dpkg/status", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("Package: "):
                name = line[9:].strip()
            elif line.startswith("Status: ") and line.split()[-1].startswith(
                ("half-", "unpacked", "triggers-")
            ):
                names.append(name)
    pending = any(each.isdigit() for each in os.listdir("/var/lib/dpkg/updates"))
    return names[:MOST] or (["?"] if pending else [])


def state_of(unit: str) -> dict[str, str]:
    """What systemd says of a unit, by property."""
    shown = said(
        "systemctl", "show", "--property=ActiveState,SubState,Result,ExecMainStatus,NRestarts", "--", unit
    )
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def restarting(seen: dict[str, str]) -> bool:
    """Whether it is up, or nearly, after it died before."""
    up = seen.get("ActiveState") in ("active", "activating") and seen.get("SubState") != "auto-restart"
    return up and int(seen.get("NRestarts") or 0) > 0


def units(wanted: list[str]) -> Iterator[dict[str, Any]]:
    """Units that failed or start again and again, and the last that each of them said."""
    listed = said("systemctl", "list-units", "--all", "--plain", "--no-legend", "--state=failed,activating")
    names = [line.split()[0] for line in listed.splitlines() if line.split()]
    for name in dict.fromkeys([*wanted, *names][: 2 * MOST]):
        seen = state_of(name)
        # One that starts and dies again and again is for a moment neither; whoever failed named it.
        until = time.monotonic() + BETWEEN_STARTS
        while name in wanted and restarting(seen) and time.monotonic() < until:
            time.sleep(0.1)
            seen = state_of(name)
        if seen.get("ActiveState") != "failed" and seen.get("SubState") != "auto-restart":
            continue
        lines = said("journalctl", "--unit", name, "--lines=12", "--output=cat", "--no-pager").splitlines()
        yield {
            "name": name,
            "result": seen.get("Result", ""),
            "status": int(seen.get("ExecMainStatus") or 0),
            "restarts": int(seen.get("NRestarts") or 0),
            "last": [line[:300] for line in lines if line.strip()],
        }


def mirrors() -> Iterator[dict[str, Any]]:
    """Each package mirror (or the proxy before them), and what a connection to it ends in."""
    proxy = SOURCE.findall(said("apt-config", "dump", "Acquire::http::Proxy"))
    text = ""
    for folder in ("/etc/apt", "/etc/apt/sources.list.d"):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if name.endswith((".list", ".sources")):
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                    text += "\n".join(line for line in file if not line.lstrip().startswith("#"))
    places = [
        (host, int(port or (443 if scheme == "https" else 80)))
        for scheme, host, port in proxy or SOURCE.findall(text)
    ]
    for host, port in list(dict.fromkeys(places))[:2]:
        try:
            socket.create_connection((host, port), timeout=3).close()
            problem = ""
        except OSError as error:
            problem = error.strerror or str(error)
        yield {"host": host, "port": port, "problem": problem}


def main() -> None:
    """Look once and print; what takes too long is left out."""

    def too_long(_number: int, _frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT)
    found: dict[str, Any] = {"schema": "steward.host-sight/1"}
    looks: dict[str, Callable[[], list[Any]]] = {
        "disks": disks,
        "locks": lambda: list(locks()),
        "half_installed": half_installed,
        "units": lambda: list(units(sys.argv[1:])),
        "mirrors": lambda: list(mirrors()),
    }
    for name, look in looks.items():
        try:
            found[name] = look()
        except (OSError, ValueError, LookupError):  # that one cannot be seen here; TimeoutError is an OSError
            found[name] = []
    print(json.dumps(found))


if __name__ == "__main__":
    main()
