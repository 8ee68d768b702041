"""PostgreSQL dumps: made with their digests under one snapshot, read whole, restored beside live ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from steward_backup.errors import BackupError
from steward_backup.postgresql import ACCOUNT, Server
from steward_backup.process import must, run, start

ROOM = 1.2  # a dump without compression may outgrow its tables by what the server had compressed
SPARE = 64 * 1024 * 1024  # bytes that stay free


def check_room(staging: Path, database_bytes: int) -> None:
    """Refuse to start a dump that would fill the disk."""
    free = os.statvfs(staging).f_bavail * os.statvfs(staging).f_frsize
    needed = int(database_bytes * ROOM) + SPARE
    if free < needed:
        raise BackupError(
            f"{staging}: {free} bytes are free, the dumps may need {needed}; nothing was backed up"
        )


def dump_all(server: Server, databases: tuple[str, ...], staging: Path) -> dict[str, Any]:
    """Dump every database and the roles, and give what the manifest keeps of each database."""
    seen = {database: server.describe(database) for database in databases}
    check_room(staging, sum(each["bytes"] for each in seen.values()))
    argv = ["/usr/bin/pg_dumpall", "--globals-only"]
    with open(staging / "globals.sql", "wb") as out:
        must("roles", run(argv, env=server.env, user=ACCOUNT, stdout=out))
    return {database: {**seen[database], **dump(server, database, staging)} for database in databases}


def dump(server: Server, database: str, staging: Path) -> dict[str, Any]:
    """Dump one database while its tables are digested in the same snapshot, then read the dump back.

    It is not compressed: restic does that, and finds what did not change since the last dump.
    """
    path = staging / f"{database}.dump"
    with server.snapshot(database) as snapshot, open(path, "wb") as out:
        argv = [
            "/usr/bin/pg_dump",
            "--format=custom",
            "--compress=0",
            "--lock-wait-timeout=60000",
            f"--snapshot={snapshot}",
            f"--dbname={database}",
        ]
        with start(argv, env=server.env, user=ACCOUNT, stdout=out) as child:
            tables = server.digests(database, snapshot)
            if child.running.wait() != 0:
                raise BackupError(f"database {database}: pg_dump failed: {child.told()}")
    read_back(server, database, path)
    return {"dump": path.name, "tables": tables}


def read_back(server: Server, database: str, path: Path) -> None:
    """Read a dump to its end; its table of contents alone would not show a cut or damaged one."""
    with open(path, "rb") as source:
        ended = run(["/usr/bin/pg_restore", "--file=/dev/null"], env=server.env, user=ACCOUNT, stdin=source)
    must(f"database {database}: the dump cannot be read back", ended)


def compare(server: Server, path: Path, like: dict[str, Any], scratch: str) -> tuple[int, list[str]]:
    """Restore a dump into a scratch database; give the number of tables, and those that differ."""
    argv = ["/usr/bin/pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={scratch}"]
    with server.scratch(scratch, like):
        with open(path, "rb") as source:
            must(f"{path.name}: restore", run(argv, env=server.env, user=ACCOUNT, stdin=source))
        found = server.digests(scratch)
    names = set(found) | set(like["tables"])
    different = sorted(name for name in names if found.get(name) != like["tables"].get(name))
    return len(names), different
