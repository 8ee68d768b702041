"""What a snapshot must hold, taken before it is made: digest, size and permissions of every file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from steward_backup.errors import BackupError
from steward_backup.hashing import Seen, digests

SCHEMA = "steward.backup-manifest/1"
Entry = dict[str, Any]


def check_paths(paths: tuple[str, ...]) -> None:
    """Refuse a plan whose paths are not all there: restic would leave them out and still report success."""
    for path in paths:
        if not os.path.isabs(path):
            raise BackupError(f"path {path!r} must be absolute")
        if not os.path.lexists(path):
            raise BackupError(f"path {path!r} does not exist on this host; nothing was backed up")
        if os.path.islink(path):
            raise BackupError(f"path {path!r} is a symbolic link; name the folder it leads to")


def walk(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every file and link at or below a path, without following links."""
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        yield path, found
        return
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path)
            else:
                yield entry.path, entry.stat(follow_symlinks=False)


def stamp(found: os.stat_result) -> list[int]:
    """What changes whenever a file's content does; restic itself trusts the same."""
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def take(paths: tuple[str, ...], known: dict[str, Any]) -> tuple[dict[str, Entry], dict[str, Any]]:
    """Entries of all files below the paths, and the digests to remember for the next time.

    `known` maps a path to its stamp and digest of the last time; an unchanged file is not read again.
    """
    entries: dict[str, Entry] = {}
    remembered: dict[str, Any] = {}
    unread: list[str] = []
    for path, found in (each for top in paths for each in walk(top)):
        if stat.S_ISLNK(found.st_mode):
            entries[path] = {"link": os.readlink(path)}
        elif stat.S_ISREG(found.st_mode):
            entries[path] = {"size": found.st_size, "mode": stat.S_IMODE(found.st_mode)}
            remembered[path] = {"stamp": stamp(found), "sha256": ""}
            before = known.get(path)
            if before and before["stamp"] == remembered[path]["stamp"]:
                remembered[path]["sha256"] = before["sha256"]
            else:
                unread.append(path)
    for path, sha256 in zip(unread, digests(unread), strict=True):
        remembered[path]["sha256"] = sha256
    for path, each in remembered.items():
        entries[path]["sha256"] = each["sha256"]
    return entries, remembered


def changed_since(remembered: dict[str, Any]) -> list[str]:
    """Files that were written or removed after their digest was taken."""
    changed = []
    for path, each in remembered.items():
        try:
            if stamp(os.lstat(path)) != each["stamp"]:
                changed.append(path)
        except FileNotFoundError:
            changed.append(path)
    return changed


def compare(
    entries: dict[str, Entry], root: Path, tops: tuple[str, ...], early: dict[str, Seen]
) -> list[str]:
    """Paths whose restored copy below `root` differs, is missing, or was never in the manifest.

    `early` holds copies that were digested already. It can spare the reading of a copy that is as it must
    be; it condemns none: whatever was not seen, or looked different then, is read now.
    """
    different: list[str] = []
    to_read: list[str] = []
    for path, entry in entries.items():
        copy = f"{root}{path}"
        try:
            found = os.lstat(copy)
        except FileNotFoundError:
            different.append(path)
            continue
        if "link" in entry:
            same = stat.S_ISLNK(found.st_mode) and os.readlink(copy) == entry["link"]
        else:
            seen = (stat.S_ISREG(found.st_mode), found.st_size, stat.S_IMODE(found.st_mode))
            same = seen == (True, entry["size"], entry["mode"])
            if same and early.get(path) != Seen(found.st_ino, entry["sha256"]):
                to_read.append(path)
        if not same:
            different.append(path)
    read = digests([f"{root}{path}" for path in to_read])
    different += [
        path for path, sha256 in zip(to_read, read, strict=True) if sha256 != entries[path]["sha256"]
    ]
    return sorted(different + unexpected(entries, root, tops))


def unexpected(entries: dict[str, Entry], root: Path, tops: tuple[str, ...]) -> list[str]:
    """Restored files and links that the manifest does not name."""
    extra = []
    for top in tops:
        if os.path.lexists(f"{root}{top}"):
            for copy, found in walk(f"{root}{top}"):
                path = copy[len(str(root)) :]
                if path not in entries and (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
                    extra.append(path)
    return extra
