"""Causes, from results and sights. Each case says where its text is from, see `Origin`."""

from __future__ import annotations

import json
from enum import Enum

import pytest

from orchestrator.diagnosis.causes import Failure, Fault, cause_of, size, span, units_named
from orchestrator.diagnosis.sight import Disk, Sight, read_sight


class Origin(Enum):
    """Where the words of a case are from; its sight has the form that `look.py` prints in either case."""

    RECORDED = "said in a run of tests/faults, by or about a server on which the fault was made"
    WRITTEN = "written down from what the tool is known to say; no real server was broken that way"


RECORDED, WRITTEN = Origin.RECORDED, Origin.WRITTEN
ROOT_DISK = {
    "mount": "/",
    "total": 270553174016,
    "free": 64923045888,
    "inodes_left": 15883135,
    "read_only": False,
}
MIRROR = {"host": "mirror.example", "port": 80, "problem": ""}


def sight(**parts: object) -> Sight:
    """A sight; every part that is not given is as on a healthy server."""
    seen = {"schema": "steward.host-sight/1", "disks": [ROOT_DISK], "mirrors": [MIRROR], **parts}
    found = read_sight(json.dumps(seen))
    assert found.disks or "disks" in parts
    return found


NO_SPACE = "apt could not install nginx: E: You don't have enough free space in /var/cache/apt/archives/."
ARCHIVES = {"mount": "/var/cache/apt/archives", "total": 1 << 20, "free": 0, "inodes_left": 3085000}
# restic's unfinished pack was removed again by the vault, so that there is room when somebody looks.
VAULT_DISK = {"mount": "/srv/backup", "total": 14 << 20, "free": 21 << 19, "inodes_left": 900}
HOLDER = {"path": "/var/lib/dpkg/lock-frontend", "pid": 2171, "program": "python3", "seconds": 8.2}
DYING = {
    "name": "nginx.service", "result": "exit-code", "status": 1, "restarts": 41,
    "last": [
        "Started nginx.service - A high performance web server.",
        "cannot read my certificate",
        "nginx.service: Main process exited, code=exited, status=1/FAILURE",
        "nginx.service: Failed with result 'exit-code'.",
    ],
}  # fmt: skip

CASES = [
    (
        RECORDED, "nginx : Install the web server and the manuals, and hold the server where it is", NO_SPACE, sight(disks=[ROOT_DISK, ARCHIVES]), Fault.DISK,
        "the disk that holds /var/cache/apt/archives is full (0 B free of 1.0 MiB): free space there",
    ),
    (
        RECORDED, "baseline : Install packages", "Failed to update apt cache after 1 retries:",
        sight(mirrors=[MIRROR | {"problem": "Connection refused"}]), Fault.MIRROR,
        "no route to the package mirror mirror.example:80 (Connection refused): open the way (firewall, proxy, name server)",
    ),
    (
        WRITTEN, "baseline : Install packages", "Failed to update apt cache after 5 retries:", sight(), Fault.FETCH,
        "the package mirror answers, but not with what was asked for: look at /etc/apt/sources.list and at the mirror",
    ),
    (
        RECORDED, "ready: package-lock",
        "not ready after 3 s: the package lock did not become free (/var/lib/dpkg/lock-frontend is held)",
        sight(locks=[HOLDER]), Fault.LOCK,
        "another program holds the package lock (PID 2171 python3, running for 8 s): wait for it to end, or end it",
    ),
    (
        WRITTEN, "nginx : Install the web server",
        "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1557 (apt-get)", sight(), Fault.LOCK,
        "another program holds the package lock (PID 1557 apt-get): wait for it to end, or end it",
    ),
    (
        WRITTEN, "nginx : Install the web server",
        "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
        sight(half_installed=["nginx"]), Fault.HALF_INSTALLED,
        "an earlier package installation was interrupted (nginx): the next run finishes it, or: sudo dpkg --configure -a",
    ),
    (
        RECORDED, "nginx : Enable the web server", "nginx.service starts and dies", sight(units=[DYING]), Fault.UNIT,
        "nginx.service starts and dies (exit code 1: cannot read my certificate): journalctl -u nginx.service tells the rest",
    ),
    (
        RECORDED, "backup",
        "failed: site: restic backup: exit code 1: Save(<data/79159e4e0a>) failed: unexpected HTTP response (507): 507 Insufficient Storage",
        sight(disks=[VAULT_DISK]), Fault.DISK,
        "the disk that holds /srv/backup is full (10.5 MiB free of 14.0 MiB, too little for what was to be written): free space there",
    ),
    (
        WRITTEN, "nginx : Write the configuration", "[Errno 30] Read-only file system: '/etc/nginx/.nginx.conf'",
        sight(disks=[ROOT_DISK | {"read_only": True}]), Fault.READ_ONLY,
        "/ is mounted read-only: look at its disk (dmesg), then mount it read-write",
    ),
    (
        WRITTEN, "postgresql : Start", "could not fork: Cannot allocate memory", sight(), Fault.MEMORY,
        "it ran out of memory: give it more, or stop what takes it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("origin", "task", "message", "seen", "fault", "text"), CASES, ids=lambda v: str(v)[:24]
)
def test_a_failure_has_its_cause(
    origin: Origin, task: str, message: str, seen: Sight, fault: Fault, text: str
) -> None:
    cause = cause_of(Failure(task, message), seen)
    assert cause is not None, origin
    assert (cause.fault, str(cause)) == (fault, text), origin
    assert fault.value in str(cause)


CONNECTIONS = [
    (
        RECORDED,
        (
            "SSH did not let us in with the pinned host key and the stack's admin key (SSH failed: @@@@@@@@@@@ @ WARNING: "
            "REMOTE HOST IDENTIFICATION HAS CHANGED! @ @@@@@@@@@@@ IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!)"
        ),
        Fault.HOST_KEY,
    ),
    (WRITTEN, "SSH failed: Host key verification failed.", Fault.HOST_KEY),
    (WRITTEN, "SSH failed: steward@127.0.0.1: Permission denied (publickey).", Fault.REFUSED),
    (WRITTEN, "127.0.0.1:23011: [Errno 111] Connection refused", Fault.DOWN),
    (
        RECORDED,
        (
            "Task failed: EOF on stream; last 100 lines received:\nssh: connect to host 127.0.0.1 port 27427: "
            "Connection timed out"
        ),
        Fault.NO_ANSWER,
    ),
    (RECORDED, "Task failed: Connection timed out.", Fault.NO_ANSWER),
    (
        WRITTEN,
        "Data could not be sent to remote host. Make sure this host can be reached over ssh: ",
        Fault.NO_ANSWER,
    ),
    (WRITTEN, "", Fault.NO_ANSWER),
]


@pytest.mark.parametrize(("origin", "message", "fault"), CONNECTIONS)
def test_a_host_out_of_reach_is_told_by_what_the_connection_said(
    origin: Origin, message: str, fault: Fault
) -> None:
    cause = cause_of(Failure("ready: ssh", message, unreachable=True))
    assert cause is not None, origin
    assert cause.fault is fault


@pytest.mark.parametrize(
    "message", ["", "Unsupported parameters for (copy) module: x", "the value is not one of: a, b", "rc=1"]
)
def test_what_is_not_known_gets_no_cause(message: str) -> None:
    assert cause_of(Failure("nginx : Write", message), sight()) is None


def test_a_failed_unit_that_nobody_spoke_of_is_not_blamed() -> None:
    assert cause_of(Failure("nginx : Write", "no such template"), sight(units=[DYING])) is None


def test_every_fault_has_a_case_here() -> None:
    """A cause that no case leads to is a guess."""
    assert {row[4] for row in CASES} | {row[2] for row in CONNECTIONS} == set(Fault)


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
