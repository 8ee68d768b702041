"""Mount options of folders that anybody may write to, now and after a boot."""

from __future__ import annotations

import ctypes
import errno
import os
import re
from collections.abc import Iterable, Sequence

FSTAB = "/etc/fstab"
_FLAGS = {
    "ro": 1,
    "nosuid": 2,
    "nodev": 4,
    "noexec": 8,
    "noatime": 1024,
    "nodiratime": 2048,
    "relatime": 1 << 21,
}
_REMOUNT, _BIND = 32, 4096
_MAY_MOUNT = 1 << 21  # CAP_SYS_ADMIN


def options_of(mounts: Iterable[str], path: str) -> tuple[str, list[str]] | None:
    """File system and options of what is mounted at a path last (lines of /proc/self/mounts), or None."""
    found = None
    for line in mounts:
        parts = line.split()
        if len(parts) > 3 and parts[1] == path:
            found = parts[2], parts[3].split(",")
    return found


def with_options(fstab: str, path: str, kind: str, wanted: Sequence[str]) -> str:
    """fstab with these options at a mount point: added to its own line, or as a new line.

    What is in memory stays so; anything else is bound to itself, so that what lies there stays there.
    """
    lines = fstab.splitlines()
    for number, line in enumerate(lines):
        parts = line.split()
        if len(parts) > 3 and not line.lstrip().startswith("#") and parts[1] == path:
            have = parts[3].split(",")
            against = {option[2:] for option in wanted if option.startswith("no")}
            merged = [each for each in have if each not in against]
            merged += [each for each in wanted if each not in have]
            if merged != have:
                lines[number] = re.sub(r"^((?:\S+\s+){3})\S+", rf"\g<1>{','.join(merged)}", line.lstrip())
            return "".join(f"{each}\n" for each in lines)
    if kind == "tmpfs":
        lines.append(f"tmpfs {path} tmpfs {','.join(['mode=1777', *wanted])} 0 0")
    else:
        lines.append(f"{path} {path} none {','.join(['bind', *wanted])} 0 0")
    return "".join(f"{each}\n" for each in lines)


def restrict(path: str, wanted: Sequence[str], dry: bool) -> tuple[bool, str, str]:
    """Mount a folder with these options: whether that changed something, why it cannot be, what is there."""
    if not os.path.isdir(path):
        return False, "there is no such folder", ""
    with open("/proc/self/mounts", encoding="utf-8") as source:
        found = options_of(source, path)
    if found is None:
        reason = _dry() if dry else _mount(path, _BIND)
        if reason or dry:
            return not reason, reason, "none"
    kind, have = found or ("none", [])
    differs = not set(wanted) <= set(have)
    # Also where nothing differs: whoever may not do it again does not hold it, somebody else does.
    flags = 0
    for option in {*have, *wanted}:
        flags |= _FLAGS.get(option, 0)
    reason = _dry() if dry else _mount(path, _REMOUNT | _BIND | flags)
    if reason and have:
        reason += f"; it has {','.join(sorted(set(have) & set(wanted))) or 'none of them'}"
    return differs and not reason, reason, kind


def _dry() -> str:
    """What `_mount` would say, without mounting: whether this process has the right to."""
    with open("/proc/self/status", encoding="utf-8") as source:
        rights = next((line.split()[1] for line in source if line.startswith("CapEff:")), "0")
    return "" if int(rights, 16) & _MAY_MOUNT else f"mount: {os.strerror(errno.EPERM).lower()}"


def _mount(path: str, flags: int) -> str:
    library = ctypes.CDLL(None, use_errno=True)
    place = os.fsencode(path)
    if library.mount(place, place, None, ctypes.c_ulong(flags), None) == 0:
        return ""
    return f"mount: {os.strerror(ctypes.get_errno()).lower()}"
