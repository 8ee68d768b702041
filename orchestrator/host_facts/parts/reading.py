"""How the other parts read: bounded in time and size, and whatever cannot be read is said with its reason."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from functools import lru_cache
from typing import Any

MOST_TEXT = 256 * 1024
MOST_ROWS = 4_000
SECONDS = 15
"""For one program: a host that is busy answers late, and what is not known of it stops a run."""


class UnreadableError(Exception):
    """Something cannot be read, with the reason in words."""


def text(path: str, most: int = MOST_TEXT) -> str:
    """The beginning of a regular file; raises UnreadableError.

    Opened without waiting and without following a link at its end: accounts own some of what is read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UnreadableError(f"{path}: not a regular file")
            return file.read(most).decode("utf-8", "replace")
    except OSError as problem:
        raise UnreadableError(f"{path}: {problem.strerror}") from problem


def text_or(path: str, otherwise: str = "") -> str:
    """As `text`, for a file that may well be missing; any other problem still raises."""
    return text(os.path.realpath(path)) if os.path.lexists(path) else otherwise


def said(*argv: str, ok: tuple[int, ...] = (0,)) -> str:
    """Standard output of a program as text; raises UnreadableError as `output` does."""
    return output(*argv, ok=ok).decode("utf-8", "replace")


def output(*argv: str, ok: tuple[int, ...] = (0,)) -> bytes:
    """Standard output of a program; raises UnreadableError when it is not there, fails or does not end."""
    done = _run(argv, SECONDS)
    if isinstance(done, bytes):
        raise UnreadableError(f"{argv[0]} takes too long")
    if done.returncode not in ok:
        why = " ".join((done.stderr or done.stdout).decode("utf-8", "replace").split())[:200]
        raise UnreadableError(f"{argv[0]} ended with {done.returncode}: {why}")
    return done.stdout


def output_until(seconds: float, *argv: str) -> tuple[bytes, bool]:
    """What a program has said by then, and whether that is all; a failure on single files is none."""
    done = _run(argv, seconds)
    return (done, False) if isinstance(done, bytes) else (done.stdout, True)


def _run(argv: tuple[str, ...], seconds: float) -> bytes | subprocess.CompletedProcess[bytes]:
    """The ended program, or what it had said when its time was over."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin"
    try:
        return subprocess.run(
            argv,
            capture_output=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
            env={"PATH": path, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as late:
        return late.stdout or b""
    except OSError as problem:
        raise UnreadableError(f"{argv[0]} cannot be run") from problem


def section(read: Callable[[], Any]) -> Any:
    """What was read, or `{"unknown": why}`: one part that cannot be read hides no other."""
    try:
        return read()
    except UnreadableError as problem:
        return {"unknown": str(problem)[:300]}
    except (OSError, ValueError, LookupError) as problem:
        return {"unknown": f"{type(problem).__name__}: {problem}"[:300]}


def bounded(rows: list[Any], most: int = MOST_ROWS) -> list[Any]:
    """The rows; raises UnreadableError when there are more than anybody judges."""
    if len(rows) > most:
        raise UnreadableError(f"{len(rows)} entries, at most {most} are read")
    return rows


def listed(folder: str, ending: str = "") -> list[str]:
    """The paths in a folder by name; none where there is no folder."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [os.path.join(folder, name) for name in names if name.endswith(ending)]


def settings(content: str) -> list[str]:
    """The lines that say something: without comments and blank ones, joined where a backslash ends one."""
    lines = content.replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(("#", ";"))]


def ini(paths: list[str], group: str) -> dict[str, str]:
    """The values of one section over several files, where a later file wins."""
    found: dict[str, str] = {}
    for path in paths:
        inside = False
        for line in settings(text_or(path)):
            if line.startswith("["):
                inside = line == f"[{group}]"
            elif inside and "=" in line:
                key, _, value = line.partition("=")
                found[key.strip()] = value.strip()
    return found


def mode_of(path: str) -> dict[str, Any]:
    """Kind, permissions and owner of a path, itself and not what a link leads to."""
    seen = os.lstat(path)
    kind = "folder" if stat.S_ISDIR(seen.st_mode) else "link" if stat.S_ISLNK(seen.st_mode) else "file"
    return {
        "path": path,
        "kind": kind,
        "mode": f"{stat.S_IMODE(seen.st_mode):04o}",
        "owner": owner_name(seen.st_uid),
        "group": group_name(seen.st_gid),
    }


@lru_cache(maxsize=4096)
def owner_name(number: int) -> str:
    """The account's name, or its number where nobody has it."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


@lru_cache(maxsize=4096)
def group_name(number: int) -> str:
    """The group's name, or its number where nobody has it."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
