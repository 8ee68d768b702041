"""Causes, from results and sights recorded on real servers with the fault made on purpose."""

from __future__ import annotations

import json

import pytest

from orchestrator.diagnosis.causes import Failure, Fault, cause_of, size, span, units_named
from orchestrator.diagnosis.sight import Disk, Sight, read_sight

ROOT_DISK = {
    "mount": "/",
    "total": 270553174016,
    "free": 64923045888,
    "inodes_left": 15883135,
    "read_only": False,
}
MIRROR = {"host": "mirror.example", "port": 80, "problem": ""}


def sight(**parts: object) -> Sight:
    """A recorded sight; every part that is not given is as on a healthy server."""
    seen = {"schema": "steward.host-sight/1", "disks": [ROOT_DISK], "mirrors": [MIRROR], **parts}
    found = read_sight(json.dumps(seen))
    assert found.disks or "disks" in parts
    return found


NO_SPACE = (
    '\'/usr/bin/apt-get -y -o "Dpkg::Options::=--force-confdef" -o "Dpkg::Options::=--force-confold" -o '
    "DPkg::Lock::Timeout=300 install 'nginx=1.22.1-9+deb12u11' -o APT::Install-Recommends=no' failed: E: You don't have "
    "enough free space in /var/cache/apt/archives/.; E: You don't have enough free space in /var/cache/apt/archives/."
)
ARCHIVES = {"mount": "/var/cache/apt/archives", "total": 1 << 20, "free": 0, "inodes_left": 3085000}
HOLDER = {"path": "/var/lib/dpkg/lock-frontend", "pid": 812, "program": "unattended-upgr", "seconds": 301.5}
DYING = {
    "name": "nginx.service", "result": "exit-code", "status": 1, "restarts": 41,
    "last": [
        "Started nginx.service - A high performance web server.",
        "cannot read my certificate",
        "nginx.service: Main process exited, code=exited, status=1/FAILURE",
        "nginx.service: Failed with result 'exit-code'.",
    ],
}  # fmt: skip

RECORDED = [
    (
        "nginx : Install the web server", NO_SPACE, sight(disks=[ROOT_DISK, ARCHIVES]), Fault.DISK,
        "the disk that holds /var/cache/apt/archives is full (0 B free of 1.0 MiB): free space there",
    ),
    (
        "baseline : Install packages", "Failed to update apt cache after 5 retries:",
        sight(mirrors=[MIRROR | {"problem": "timed out"}]), Fault.MIRROR,
        "no route to the package mirror mirror.example:80 (timed out): open the way (firewall, proxy, name server)",
    ),
    (
        "baseline : Install packages", "Failed to update apt cache after 5 retries:", sight(), Fault.FETCH,
        "the package mirror answers, but not with what was asked for: look at /etc/apt/sources.list and at the mirror",
    ),
    (
        "ready: package-lock",
        "not ready after 4 s: the package lock did not become free (/var/lib/dpkg/lock-frontend is held)",
        sight(locks=[HOLDER]), Fault.LOCK,
        "another program holds the package lock (PID 812 unattended-upgr, running for 5 min): wait for it to end, or end it",
    ),
    (
        "nginx : Install the web server",
        "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1557 (apt-get)", sight(), Fault.LOCK,
        "another program holds the package lock (PID 1557 apt-get): wait for it to end, or end it",
    ),
    (
        "nginx : Install the web server",
        "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
        sight(half_installed=["nginx"]), Fault.HALF_INSTALLED,
        "an earlier package installation was interrupted (nginx): the next run finishes it, or: sudo dpkg --configure -a",
    ),
    (
        "nginx : Enable the web server", "nginx.service starts and dies", sight(units=[DYING]), Fault.UNIT,
        "nginx.service starts and dies (exit code 1: cannot read my certificate): journalctl -u nginx.service tells the rest",
    ),
    (
        "nginx : Write the configuration", "[Errno 30] Read-only file system: '/etc/nginx/.nginx.conf'",
        sight(disks=[ROOT_DISK | {"read_only": True}]), Fault.READ_ONLY,
        "/ is mounted read-only: look at its disk (dmesg), then mount it read-write",
    ),
    (
        "postgresql : Start", "could not fork: Cannot allocate memory", sight(), Fault.MEMORY,
        "it ran out of memory: give it more, or stop what takes it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("task", "message", "seen", "fault", "text"), RECORDED, ids=lambda v: str(v)[:24])
def test_a_recorded_failure_has_its_cause(
    task: str, message: str, seen: Sight, fault: Fault, text: str
) -> None:
    cause = cause_of(Failure(task, message), seen)
    assert cause is not None
    assert (cause.fault, str(cause)) == (fault, text)
    assert fault.value in str(cause)


CONNECTIONS = [
    ("SSH failed: Host key verification failed.", Fault.HOST_KEY),
    ("SSH failed: steward@127.0.0.1: Permission denied (publickey).", Fault.REFUSED),
    ("127.0.0.1:23011: [Errno 111] Connection refused", Fault.DOWN),
    ("EOF on stream; last 100 lines received: b''", Fault.NO_ANSWER),
    ("Data could not be sent to remote host. Make sure this host can be reached over ssh: ", Fault.NO_ANSWER),
    ("", Fault.NO_ANSWER),
]


@pytest.mark.parametrize(("message", "fault"), CONNECTIONS)
def test_a_host_out_of_reach_is_told_by_what_the_connection_said(message: str, fault: Fault) -> None:
    cause = cause_of(Failure("ready: ssh", message, unreachable=True))
    assert cause is not None
    assert cause.fault is fault


@pytest.mark.parametrize(
    "message", ["", "Unsupported parameters for (copy) module: x", "the value is not one of: a, b", "rc=1"]
)
def test_what_is_not_known_gets_no_cause(message: str) -> None:
    assert cause_of(Failure("nginx : Write", message), sight()) is None


def test_a_failed_unit_that_nobody_spoke_of_is_not_blamed() -> None:
    assert cause_of(Failure("nginx : Write", "no such template"), sight(units=[DYING])) is None


def test_every_fault_is_recorded_here() -> None:
    """A cause that no recorded case leads to is a guess."""
    assert {row[3] for row in RECORDED} | {row[1] for row in CONNECTIONS} == set(Fault)


def test_without_a_look_the_message_alone_must_do() -> None:
    cause = cause_of(Failure("x", "OSError: [Errno 28] No space left on device"))
    assert cause is not None
    assert str(cause) == "the disk that holds what it writes is full: free space there"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": "other/1"}',
        '{"schema": "steward.host-sight/1", "disks": [{"mount": "/", "total": -1}]}',
    ],
)
def test_an_answer_that_is_not_as_agreed_counts_as_nothing_seen(text: str) -> None:
    assert read_sight(text) == Sight()


def test_units_come_from_the_message_once_each() -> None:
    said = "Job for a.service failed; see systemctl status a.service and b@1.timer"
    assert units_named(Failure("t", said)) == ["a.service", "b@1.timer"]


def test_a_disk_is_full_by_bytes_or_by_inodes() -> None:
    assert Disk(mount="/", total=10 << 30, free=1 << 20).full
    assert Disk(mount="/", total=10 << 30, free=1 << 30, inodes_left=0).full
    assert not Disk(mount="/", total=10 << 30, free=1 << 30).full


def test_amounts_are_told_in_units_people_read() -> None:
    assert [size(n) for n in (0, 2048, 5 << 20, 2 << 30, 3 << 40)] == [
        "0 B",
        "2.0 KiB",
        "5.0 MiB",
        "2.0 GiB",
        "3.0 TiB",
    ]
    assert [span(n) for n in (12, 300, 7200)] == ["12 s", "5 min", "2 h"]
