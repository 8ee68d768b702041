"""Settings of the kernel, each tried on the thing itself: what it refuses has a reason, not a guess."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterable, Mapping

PROC_SYS = "/proc/sys"
_AUDIT_FAMILY, _AUDIT_GET, _REQUEST, _ACKNOWLEDGE = 9, 1000, 1, 4
_ERROR_MESSAGE = 2
_SAME_TICK = 0x4000
_DEFAULT_ROUTE_BY_ADVERTISEMENT = 0x40000


def settle(wanted: Mapping[str, str], dry: bool) -> tuple[list[str], dict[str, str]]:
    """Set every value that differs; gives the names that were set and, by name, why others cannot be."""
    acted: list[str] = []
    refused: dict[str, str] = {}
    for name, value in wanted.items():
        path = os.path.join(PROC_SYS, *name.split("."))
        reason = _refusal(path)
        if reason:
            refused[name] = reason
        elif current(path) != " ".join(value.split()):
            acted.append(name)
            reason = "" if dry else _write(path, value)
            if reason:
                refused[name] = reason
    return [name for name in acted if name not in refused], refused


def order(name: str) -> tuple[bool, str]:
    """Forwarding first: changing it sets other settings of the network back to the kernel's own."""
    return not name.endswith("forward") and not name.endswith("forwarding"), name


def current(path: str) -> str:
    """What a setting is now, blanks made one."""
    with open(path, encoding="utf-8") as source:
        return " ".join(source.read().split())


def _refusal(path: str) -> str:
    """Why a setting cannot be written, '' when it can; asks the file system, which knows without a try."""
    if not os.path.exists(path):
        return "this kernel has no such setting"
    if os.access(path, os.W_OK):
        return ""
    read_only = os.statvfs(path).f_flag & os.ST_RDONLY
    return f"{'read-only file system' if read_only else 'permission denied'}; it is {current(path)}"


def _write(path: str, value: str) -> str:
    try:
        with open(path, "w", encoding="utf-8") as target:
            target.write(value)
    except OSError as problem:
        return f"{problem.strerror}; it is {current(path)}"
    return ""


def learns_its_route(routes: Iterable[str]) -> bool:
    """Whether a default route of IPv6 came by router advertisement (lines of /proc/net/ipv6_route)."""
    for line in routes:
        parts = line.split()
        if len(parts) > 8 and parts[1] == "00" and int(parts[8], 16) & _DEFAULT_ROUTE_BY_ADVERTISEMENT:
            return True
    return False


def audit_refusal() -> str:
    """Why the kernel does not let this host audit, '' when it does: asks for the audit state."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _AUDIT_FAMILY) as asked:
            asked.settimeout(2)
            asked.send(struct.pack("=IHHII", 16, _AUDIT_GET, _REQUEST | _ACKNOWLEDGE, 1, 0))
            answer = asked.recv(4096)
    except OSError as problem:
        return f"the kernel's audit system: {problem.strerror or problem}"
    kind = struct.unpack_from("=H", answer, 4)[0]
    code = struct.unpack_from("=i", answer, 16)[0] if kind == _ERROR_MESSAGE else 0
    return f"the kernel's audit system: {os.strerror(-code)}" if code else ""


def clock_refusal() -> str:
    """Why this host cannot keep its own clock, '' when it can: sets the tick to what it is."""
    library = ctypes.CDLL(None, use_errno=True)
    state = ctypes.create_string_buffer(256)
    if library.adjtimex(state) < 0:
        return f"the kernel's clock: {os.strerror(ctypes.get_errno())}"
    struct.pack_into("=I", state, 0, _SAME_TICK)
    if library.adjtimex(state) < 0:
        return f"the kernel's clock: {os.strerror(ctypes.get_errno())}"
    return ""


def apparmor_refusal() -> str:
    """Why AppArmor cannot confine programs here, '' when it can."""
    profiles = "/sys/kernel/security/apparmor/profiles"
    try:
        with open(profiles, encoding="utf-8") as source:
            source.read(1)
    except OSError as problem:
        return f"{profiles}: {problem.strerror}"
    return ""


def journal_refusal() -> str:
    """Why the journal cannot outlive a boot, '' when it can: what is mounted at its folder."""
    try:
        with open("/proc/self/mounts", encoding="utf-8") as source:
            kinds = {parts[1]: parts[2] for parts in map(str.split, source)}
    except OSError as problem:
        return f"/proc/self/mounts: {problem.strerror}"
    in_memory = kinds.get("/var/log/journal", kinds.get("/var/log", "")) == "tmpfs"
    return "a file system in memory is mounted at /var/log/journal" if in_memory else ""


def loaded(names: Iterable[str]) -> list[str]:
    """Which of these modules the kernel has loaded now."""
    try:
        with open("/proc/modules", encoding="utf-8") as source:
            found = {line.split(" ", 1)[0] for line in source}
    except OSError:
        return []  # a kernel without modules
    return [name for name in names if name.replace("-", "_") in found]
