"""Run on a host as root, from standard input: one digest over everything that the playbooks manage there.

Stays within Python's standard library and Python 3.9. Prints one JSON document:
{"schema": "steward.host-state/1", "parts": {name: SHA-256 in hex}}.
"""

import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator

TREES = ("/etc", "/usr/local", "/root/.ssh", "/home", "/var/www", "/var/spool/cron")
REWRITTEN = {
    "/etc/mtab",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/.updated",
    "/etc/.pwd.lock",
}
"""Written by the machine itself at every boot, not by the playbooks."""
LARGE = 1 << 20
UNITS = ("*.service", "*.timer", "*.socket")
TABLES = "select datname, pg_get_userbyid(datdba) from pg_database order by 1"
ROLES = "select rolname, rolcanlogin, rolsuper from pg_roles order by 1"


def entry(path: str) -> str:
    """One line for a file, folder or link: kind, mode, owner, and what is in it."""
    seen = os.lstat(path)
    line = [path, oct(seen.st_mode), str(seen.st_uid), str(seen.st_gid)]
    if stat.S_ISLNK(seen.st_mode):
        line.append(os.readlink(path))
    elif stat.S_ISREG(seen.st_mode):
        line.append(str(seen.st_size))
        if seen.st_size > LARGE:
            line.append(f"{seen.st_mtime_ns} {seen.st_ino}")
        else:
            with open(path, "rb") as file:
                line.append(hashlib.sha256(file.read()).hexdigest())
    return "\0".join(line)


def tree(root: str) -> Iterator[str]:
    """All entries below a folder, in a fixed order."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            if path not in REWRITTEN and "/__pycache__" not in path:
                yield entry(path)


def said(*argv: str) -> str:
    """Standard output of a program; a failure is part of the state too."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}"


def units() -> list[str]:
    """Which units start at boot, and whether they are up now."""
    shown = said("systemctl", "show", "--property=Id,ActiveState,UnitFileState,NeedDaemonReload", *UNITS)
    blocks = [block for block in shown.split("\n\n") if "UnitFileState=enabled" in block]
    return sorted("\n".join(sorted(block.strip().splitlines())) for block in blocks)


def databases() -> list[str]:
    """Databases with their owners, and who may log in; empty where there is no PostgreSQL."""
    if not os.path.exists("/etc/postgresql"):
        return []
    return [
        said("runuser", "-u", "postgres", "--", "psql", "-XAtq", "-c", query) for query in (TABLES, ROLES)
    ]


def digest(lines: Iterable[str]) -> str:
    """SHA-256 over lines, in hex."""
    found = hashlib.sha256()
    for line in lines:
        found.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return found.hexdigest()


def main() -> None:
    """Look once and print."""
    with open("/var/lib/dpkg/status", "rb") as file:
        packages = hashlib.sha256(file.read()).hexdigest()
    parts = {root: digest(tree(root)) for root in TREES if os.path.isdir(root)}
    parts["packages"] = packages
    parts["units"] = digest(units())
    parts["firewall"] = digest([said("nft", "--stateless", "list", "ruleset")])
    parts["databases"] = digest(databases())
    json.dump({"schema": "steward.host-state/1", "parts": parts}, sys.stdout, sort_keys=True)


if __name__ == "__main__":
    main()
