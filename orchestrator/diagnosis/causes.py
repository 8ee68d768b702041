"""Why a host failed, in plain words: from what its task said and what was then seen on it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.diagnosis.sight import Disk, Lock, Sight, Unit


class Fault(StrEnum):
    """Every cause that is known, by words of its message; docs/troubleshooting.md lists each."""

    HOST_KEY = "it shows another host key than the pinned one"
    REFUSED = "it refuses the stack's admin key"
    DOWN = "nothing listens on its SSH port"
    NO_ANSWER = "it does not answer any more"
    DISK = "the disk that holds"
    READ_ONLY = "is mounted read-only"
    LOCK = "another program holds the package lock"
    HALF_INSTALLED = "an earlier package installation was interrupted"
    MIRROR = "no route to the package mirror"
    FETCH = "the package mirror answers, but not with what was asked for"
    UNIT = "starts and dies"
    MEMORY = "it ran out of memory"


@dataclass(frozen=True)
class Failure:
    """What is known from the outside: the task, its message, whether the host was still there."""

    task: str
    message: str
    unreachable: bool = False


@dataclass(frozen=True)
class Cause:
    """The fault in one sentence about `it` (the host), and what a person does about it."""

    fault: Fault
    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.text}: {self.remedy}"


_HOST_KEY = re.compile(r"host key verification failed|remote host identification has changed", re.IGNORECASE)
_REFUSED = re.compile(
    r"permission denied \((publickey|\S*,publickey)|too many authentication failures", re.IGNORECASE
)
_DOWN = re.compile(r"connection refused", re.IGNORECASE)
_NO_ANSWER = re.compile(
    r"timed? ?out|no route to host|connection (closed|reset|lost)|broken pipe|"
    r"host is down|disconnect|EOF on stream|lost connection|unreachable",
    re.IGNORECASE,
)
_NO_SPACE = re.compile(
    r"no space left|insufficient storage|enough free space|errno 28|disk quota exceeded|"
    r"database or disk is full",
    re.IGNORECASE,
)
_READ_ONLY = re.compile(r"read-only file system|errno 30", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w.])/(?:[\w.+@-]+/?)*")
_LOCKED = re.compile(
    r"could not get lock|unable to (acquire|lock)|failed to lock apt|package lock", re.IGNORECASE
)
_HOLDER = re.compile(r"held by process (?P<pid>\d+) \((?P<program>[^)]*)\)")
_INTERRUPTED = re.compile(
    r"dpkg was interrupted|dpkg --configure -a|unmet dependencies.*--fix-broken", re.IGNORECASE | re.DOTALL
)
_FETCH = re.compile(
    r"failed to fetch|failed to update apt cache|unable to (fetch|connect)|could not (connect|resolve)|"
    r"temporary failure resolving|connection (timed out|failed).*(mirror|archive)|no package matching|"
    r"unable to locate package",
    re.IGNORECASE,
)
_UNIT = re.compile(r"(?P<name>[\w@.:-]+\.(?:service|socket|timer|mount))")
_UNIT_FAILED = re.compile(
    r"job for|unable to (re)?start service|starts? and dies|control process exited|systemctl (re)?start",
    re.IGNORECASE,
)
_MEMORY = re.compile(r"cannot allocate memory|out of memory|oom|MemoryError|errno 12\b", re.IGNORECASE)
_PACKAGE_TASK = re.compile(r"package|install|apt", re.IGNORECASE)


def cause_of(failure: Failure, sight: Sight | None = None) -> Cause | None:
    """The cause, or None where nothing is known that says more than the message itself."""
    if failure.unreachable:
        return _first(failure, Sight(), (_connection,))
    return _first(
        failure,
        sight or Sight(),
        (_disk, _read_only, _lock, _interrupted, _mirror, _unit, _memory, _connection),
    )


def units_named(failure: Failure) -> list[str]:
    """The systemd units that a message speaks of, so that these are looked at first."""
    return list(dict.fromkeys(found["name"] for found in _UNIT.finditer(failure.message)))[:4]


def _first(
    failure: Failure, sight: Sight, looks: Iterable[Callable[[Failure, Sight], Cause | None]]
) -> Cause | None:
    return next((cause for look in looks if (cause := look(failure, sight)) is not None), None)


def _connection(failure: Failure, _sight: Sight) -> Cause | None:
    text = failure.message
    if _HOST_KEY.search(text):
        return Cause(
            Fault.HOST_KEY, Fault.HOST_KEY.value,
            "find out who changed it; only when that was meant, pin the new one with steward repin",
        )  # fmt: skip
    if _REFUSED.search(text):
        return Cause(
            Fault.REFUSED,
            Fault.REFUSED.value,
            "put it back into authorized_keys, or let steward up --refresh make it anew",
        )
    if _DOWN.search(text):
        return Cause(Fault.DOWN, Fault.DOWN.value, "steward up starts a server that is down")
    if failure.unreachable or (_NO_ANSWER.search(text) and "SSH" in text):
        return Cause(
            Fault.NO_ANSWER,
            f"{Fault.NO_ANSWER} (its network, or the server itself)",
            "steward up brings back what is gone",
        )
    return None


def _disk(failure: Failure, sight: Sight) -> Cause | None:
    if not _NO_SPACE.search(failure.message):
        return None
    disk = _holding(failure.message, sight.disks)
    if disk is None:
        return Cause(Fault.DISK, f"{Fault.DISK} what it writes is full", "free space there")
    if disk.inodes_left == 0:
        return Cause(Fault.DISK, f"{Fault.DISK} {disk.mount} is full (no inode left)", "remove files there")
    short = "" if disk.full else ", too little for what was to be written"
    room = f"{size(disk.free)} free of {size(disk.total)}{short}"
    return Cause(Fault.DISK, f"{Fault.DISK} {disk.mount} is full ({room})", "free space there")


def _holding(message: str, disks: Iterable[Disk]) -> Disk | None:
    """The disk of a path that the message names, if that is short of space, else the fullest one."""
    paths = _PATH.findall(message)
    rows = sorted(disks, key=lambda disk: (not disk.full, disk.free))
    for disk in rows:
        inside = disk.mount.rstrip("/") + "/"
        if (
            disk.full
            and disk.mount != "/"
            and any((path.rstrip("/") + "/").startswith(inside) for path in paths)
        ):
            return disk
    return rows[0] if rows else None


def _read_only(failure: Failure, sight: Sight) -> Cause | None:
    if not _READ_ONLY.search(failure.message):
        return None
    where = next((disk.mount for disk in sight.disks if disk.read_only), "a file system")
    return Cause(
        Fault.READ_ONLY, f"{where} {Fault.READ_ONLY}", "look at its disk (dmesg), then mount it read-write"
    )


def _lock(failure: Failure, sight: Sight) -> Cause | None:
    if not _LOCKED.search(failure.message):
        return None
    told = _HOLDER.search(failure.message)
    holders = list(sight.locks) or (
        [Lock(path="", pid=int(told["pid"]), program=told["program"])] if told else []
    )
    if not holders:
        return Cause(Fault.LOCK, Fault.LOCK.value, "wait for it to end")
    worst = max(holders, key=lambda lock: lock.seconds)
    since = f", running for {span(worst.seconds)}" if worst.seconds else ""
    return Cause(
        Fault.LOCK, f"{Fault.LOCK} (PID {worst.pid} {worst.program}{since})", "wait for it to end, or end it"
    )


def _interrupted(failure: Failure, sight: Sight) -> Cause | None:
    packages = [name for name in sight.half_installed if name != "?"]
    if not _INTERRUPTED.search(failure.message) and not (packages and _PACKAGE_TASK.search(failure.task)):
        return None
    which = f" ({', '.join(packages)})" if packages else ""
    return Cause(
        Fault.HALF_INSTALLED,
        f"{Fault.HALF_INSTALLED}{which}",
        "the next run finishes it, or: sudo dpkg --configure -a",
    )


def _mirror(failure: Failure, sight: Sight) -> Cause | None:
    if not _FETCH.search(failure.message):
        return None
    away = [mirror for mirror in sight.mirrors if mirror.problem]
    if away:
        first = away[0]
        return Cause(
            Fault.MIRROR, f"{Fault.MIRROR} {first.host}:{first.port} ({first.problem})",
            "open the way (firewall, proxy, name server)",
        )  # fmt: skip
    if sight.mirrors:
        return Cause(Fault.FETCH, Fault.FETCH.value, "look at /etc/apt/sources.list and at the mirror")
    return Cause(Fault.MIRROR, Fault.MIRROR.value, "open the way (firewall, proxy, name server)")


def _unit(failure: Failure, sight: Sight) -> Cause | None:
    named = units_named(failure)
    unit = next((each for name in named for each in sight.units if each.name == name), None)
    if unit is None or not (_UNIT_FAILED.search(failure.message) or unit.restarts):
        return None
    return Cause(
        Fault.UNIT, f"{unit.name} {Fault.UNIT} ({_ending(unit)})", f"journalctl -u {unit.name} tells the rest"
    )


def _ending(unit: Unit) -> str:
    said = [
        line
        for line in unit.last
        if not line.startswith((f"{unit.name}:", "Started ", "Starting ", "Stopped ", "Failed to "))
    ]
    how = (
        f"exit code {unit.status}"
        if unit.result in ("exit-code", "success", "")
        else f"{unit.result}, status {unit.status}"
    )
    return f"{how}: {said[-1]}" if said else how


def _memory(failure: Failure, _sight: Sight) -> Cause | None:
    if not _MEMORY.search(failure.message):
        return None
    return Cause(Fault.MEMORY, Fault.MEMORY.value, "give it more, or stop what takes it")


def size(count: int) -> str:
    """Bytes for people: 0 B, 12.5 MiB, 2.0 GiB."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def span(seconds: float) -> str:
    """A duration for people: 12 s, 5 min, 3 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
