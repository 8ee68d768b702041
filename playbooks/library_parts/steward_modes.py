"""Owners and permissions of files that are there; bits are taken away, never given."""

from __future__ import annotations

import glob
import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from typing import Any


def wanted_of(items: Iterable[dict[str, Any]]) -> Iterator[tuple[str, int, int, int]]:
    """Path, owner, group (-1: as it is) and the most bits it may have, for everything that is there."""
    for item in items:
        uid = pwd.getpwnam(item["owner"]).pw_uid if item["owner"] else -1
        gid = _group(item["group"])
        for path in sorted(glob.glob(item["path"])):
            yield path, uid, gid, int(item["mode"], 8)


def _group(name: str | None) -> int:
    if not name:
        return -1
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return 0  # a group that comes with a package which is not here


def settle(items: Iterable[tuple[str, int, int, int]], dry: bool) -> tuple[list[str], dict[str, str]]:
    """Correct what differs; gives the paths, and by path why one could not be corrected. Links stay."""
    acted: list[str] = []
    refused: dict[str, str] = {}
    for path, uid, gid, most in items:
        found = os.lstat(path)
        mode = stat.S_IMODE(found.st_mode)
        owner, group = (found.st_uid if uid < 0 else uid), (found.st_gid if gid < 0 else gid)
        if stat.S_ISLNK(found.st_mode) or (owner, group, mode & most) == (found.st_uid, found.st_gid, mode):
            continue
        try:
            if not dry:
                os.chown(path, owner, group)
                os.chmod(path, mode & most)
        except OSError as problem:
            refused[path] = problem.strerror or str(problem)
        else:
            acted.append(path)
    return acted, refused
