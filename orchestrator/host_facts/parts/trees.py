"""Files and folders: modes of the system's own, what everybody may write to, what runs as another."""

from __future__ import annotations

import glob
import os
import stat
import time
from typing import Any

from orchestrator.host_facts.parts.reading import UnreadableError, bounded, listed, mode_of, owner_name

MODES = (
    "/etc/passwd", "/etc/passwd-", "/etc/group", "/etc/group-", "/etc/shadow", "/etc/shadow-", "/etc/gshadow",
    "/etc/gshadow-", "/etc/shells", "/etc/security/opasswd*", "/etc/ssh/sshd_config",
    "/etc/ssh/sshd_config.d/*", "/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_*_key.pub", "/etc/sudoers",
    "/etc/sudoers.d", "/etc/sudoers.d/*", "/etc/crontab", "/etc/cron.hourly", "/etc/cron.daily",
    "/etc/cron.weekly", "/etc/cron.monthly", "/etc/cron.yearly", "/etc/cron.d", "/etc/cron.allow",
    "/etc/cron.deny", "/etc/at.allow", "/etc/at.deny", "/etc/issue", "/etc/issue.net", "/etc/motd",
    "/boot/grub/grub.cfg", "/root", "/var/log/lastlog", "/var/log/wtmp", "/var/log/btmp", "/var/log/sudo.log",
)  # fmt: skip
WRITABLE_BELOW = ("/etc/", "/usr/local/", "/root/", "/tmp/", "/var/", "/srv/", "/opt/", "/home/")  # noqa: S108
PLACES = ("/usr/bin", "/usr/sbin", "/etc", "/usr/libexec", "/usr/lib", "/usr/local", "/root",
          "/tmp", "/var", "/srv", "/opt", "/home")  # noqa: S108  # fmt: skip
"""What matters most comes first, in case there is too much."""
PASSED_OVER = {
    "/var/lib/docker", "/var/lib/containers", "/var/lib/containerd", "/var/cache/apt", "/var/lib/apt/lists",
    "/var/lib/dpkg/info", "/usr/lib/modules", "/usr/lib/python3",
}  # fmt: skip
"""Files of containers are judged in them; the rest belongs to packages and is very much of it."""
MOST_SECONDS, MOST_ENTRIES, MOST_FOUND = 0.8, 100_000, 500


def modes() -> list[dict[str, Any]]:
    """Mode and owner of each of the listed paths that is there."""
    paths = [path for pattern in MODES for path in sorted(glob.glob(pattern))]
    return [mode_of(path) for path in bounded(paths, 500)]


def homes() -> list[dict[str, Any]]:
    """Home folders of people, by their owner."""
    return [mode_of(path) for path in bounded(listed("/home"), 500)]


class Walk:
    """One walk over all the places, that ends in time; `complete` is false when it did not see everything."""

    def __init__(self) -> None:
        self.until = time.monotonic() + MOST_SECONDS
        self.entries = 0
        self.complete = True
        self.writable: list[dict[str, Any]] = []
        self.programs: list[dict[str, Any]] = []
        for root in PLACES:
            if os.path.isdir(root) and not os.path.islink(root):
                self.below(root, os.lstat(root).st_dev)

    def below(self, root: str, device: int) -> None:
        """Everything below a folder on the same file system, links not followed."""
        folders = [root]
        while folders:
            if time.monotonic() > self.until or self.entries > MOST_ENTRIES:
                self.complete = False
                return
            try:
                with os.scandir(folders.pop()) as entries:
                    for entry in entries:
                        kept = entry.stat(follow_symlinks=False)
                        self.entry(entry.path, kept)
                        if stat.S_ISDIR(kept.st_mode) and kept.st_dev == device:
                            if entry.path not in PASSED_OVER:
                                folders.append(entry.path)
            except (FileNotFoundError, PermissionError):
                continue

    def entry(self, path: str, kept: os.stat_result) -> None:
        """Keep what everybody may write to, and programs that run as their owner or group."""
        self.entries += 1
        mode, regular = kept.st_mode, stat.S_ISREG(kept.st_mode)
        if mode & stat.S_IWOTH and (regular or _unsticky(mode)) and path.startswith(WRITABLE_BELOW):
            self.writable.append(mode_of(path))
        if regular and mode & (stat.S_ISUID | stat.S_ISGID):
            by_owner = bool(mode & stat.S_ISUID)
            self.programs.append({"path": path, "by_owner": by_owner, "owner": owner_name(kept.st_uid)})
        if len(self.writable) > MOST_FOUND or len(self.programs) > MOST_FOUND:
            raise UnreadableError(
                f"more than {MOST_FOUND} files that everybody may write to or run as another"
            )


def open_files() -> dict[str, Any]:
    """What everybody may write to, folders with the sticky bit left out, and programs that run as another."""
    walk = Walk()
    return {
        "complete": walk.complete,
        "entries": walk.entries,
        "looked_below": list(PLACES),
        "world_writable": walk.writable,
        "setuid": sorted(walk.programs, key=lambda row: str(row["path"])),
    }


def _unsticky(mode: int) -> bool:
    return stat.S_ISDIR(mode) and not mode & stat.S_ISVTX
