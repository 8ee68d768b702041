"""Files and folders: modes of the system's own, what everybody may write to, what runs as another."""

from __future__ import annotations

import glob
import os
import stat
import time
from typing import Any

from orchestrator.host_facts.parts.reading import bounded, listed, mode_of, output_until

MODES = (
    "/etc/passwd", "/etc/passwd-", "/etc/group", "/etc/group-", "/etc/shadow", "/etc/shadow-", "/etc/gshadow",
    "/etc/gshadow-", "/etc/shells", "/etc/security/opasswd*", "/etc/ssh/sshd_config",
    "/etc/ssh/sshd_config.d/*", "/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_*_key.pub", "/etc/sudoers",
    "/etc/sudoers.d", "/etc/sudoers.d/*", "/etc/crontab", "/etc/cron.hourly", "/etc/cron.daily",
    "/etc/cron.weekly", "/etc/cron.monthly", "/etc/cron.yearly", "/etc/cron.d", "/etc/cron.allow",
    "/etc/cron.deny", "/etc/at.allow", "/etc/at.deny", "/etc/issue", "/etc/issue.net", "/etc/motd",
    "/boot/grub/grub.cfg", "/root", "/var/log/lastlog", "/var/log/wtmp", "/var/log/btmp", "/var/log/sudo.log",
)  # fmt: skip
PLACES = (
    *("/usr/bin", "/usr/sbin", "/etc", "/tmp", "/usr/local", "/usr/libexec", "/usr/lib"),  # noqa: S108
    *("/var", "/srv", "/opt", "/home", "/root"),
)
"""What matters most comes first, in case there is too much."""
PASSED_OVER = (
    *("/var/lib/docker", "/var/lib/containers", "/var/lib/containerd", "/var/cache/apt"),
    *("/var/lib/apt/lists", "/var/lib/dpkg/info", "/usr/lib/modules", "/usr/lib/python3"),
)
"""Files of containers are judged in them; the rest belongs to packages and is very much of it."""
MOST_SECONDS, MOST_FOUND = 12.0, 500
"""The walk runs beside all the rest; on a server as Debian makes it, it takes a third of a second."""


def modes() -> list[dict[str, Any]]:
    """Mode and owner of each of the listed paths that is there."""
    paths = [path for pattern in MODES for path in sorted(glob.glob(pattern))]
    return [mode_of(path) for path in bounded(paths, 500)]


def homes() -> list[dict[str, Any]]:
    """Home folders of people, by their owner."""
    return [mode_of(path) for path in bounded(listed("/home"), 500)]


def open_files() -> dict[str, Any]:
    """What everybody may write to, folders with the sticky bit left out, and programs that run as another.

    Place by place until the time is over; `unseen` are the places that were not looked at to their end.
    """
    until, found, unseen = time.monotonic() + MOST_SECONDS, [], []
    for place in PLACES:
        if os.path.isdir(place) and not os.path.islink(place):
            rows, complete = _walk(place, max(until - time.monotonic(), 0.0))
            found += rows
            unseen += [] if complete else [place]
    writable = [row for row in found if _open_to_all(row)]
    programs = [row for row in found if row["kind"] == "file" and int(row["mode"], 8) & 0o6000]
    return {
        "unseen": unseen,
        "looked_below": list(PLACES),
        "world_writable": bounded(writable, MOST_FOUND),
        "setuid": [
            {"path": row["path"], "by_owner": bool(int(row["mode"], 8) & stat.S_ISUID), "owner": row["owner"]}
            for row in sorted(bounded(programs, MOST_FOUND), key=lambda row: str(row["path"]))
        ],
    }


def _walk(place: str, seconds: float) -> tuple[list[dict[str, Any]], bool]:
    passed = [word for path in PASSED_OVER for word in ("-o", "-path", path)][1:]
    wanted = ["(", "-type", "f", "-o", "-type", "d", ")", "(", "-perm", "-0002", "-o", "-perm", "/6000", ")"]
    argv = ["find", place, "-xdev", "(", *passed, ")", "-prune", "-o", *wanted, "-printf", _ROW]
    text, complete = output_until(seconds, *argv)
    # What comes after the last zero byte was cut off in the middle.
    rows = [row.split("\t", 4) for row in text.decode("utf-8", "replace").split("\0")[:-1]]
    return [_row(*row) for row in rows if len(row) == 5], complete


_ROW = "%y\\t%m\\t%u\\t%g\\t%p\\0"


def _row(kind: str, mode: str, owner: str, group: str, path: str) -> dict[str, Any]:
    kinds = {"d": "folder", "f": "file"}
    return {"path": path, "kind": kinds[kind], "mode": mode.zfill(4), "owner": owner, "group": group}


def _open_to_all(row: dict[str, Any]) -> bool:
    mode = int(row["mode"], 8)
    sticky = row["kind"] == "folder" and mode & stat.S_ISVTX
    return bool(mode & stat.S_IWOTH) and not sticky
