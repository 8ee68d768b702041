"""What lies at a path, and the two flags of a file system that stop even root from changing it."""

from __future__ import annotations

import fcntl
import os
import stat
import struct

IMMUTABLE, APPEND_ONLY = 0x10, 0x20
_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602


def stat_of(path: str) -> os.stat_result | None:
    """What lies at a path, links not followed, or None."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def attributes(found: os.stat_result) -> tuple[int, int, int]:
    """Owner, group and permissions, in the form that is compared."""
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def read(path: str) -> bytes:
    """The whole content of a file."""
    with open(path, "rb") as source:
        return source.read()


def lock_flags(path: str) -> int:
    """Which of the two flags (`chattr +i`, `chattr +a`) a file or folder has; 0 where there are none."""
    return _flags(path) & (IMMUTABLE | APPEND_ONLY)


def set_lock_flags(path: str, wanted: int) -> None:
    """Give a file or folder exactly these of the two flags; OSError where the kernel refuses."""
    handle = _open(path)
    try:
        found = struct.unpack("L", fcntl.ioctl(handle, _GET_FLAGS, struct.pack("L", 0)))[0]
        others = found & ~(IMMUTABLE | APPEND_ONLY)
        fcntl.ioctl(handle, _SET_FLAGS, struct.pack("L", others | wanted))
    finally:
        os.close(handle)


def _flags(path: str) -> int:
    try:
        handle = _open(path)
    except OSError:
        return 0
    try:
        return int(struct.unpack("L", fcntl.ioctl(handle, _GET_FLAGS, struct.pack("L", 0)))[0])
    except OSError:
        return 0  # a file system that knows no such flags
    finally:
        os.close(handle)


def _open(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def replace_file(path: str, content: bytes, mode: int) -> None:
    """Put a whole new file of root's in place, on disk before it is seen."""
    temporary = f"{path}.steward-new"
    with open(temporary, "wb") as out:
        os.fchmod(out.fileno(), mode)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, path)
