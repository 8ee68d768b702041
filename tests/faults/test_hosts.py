"""What can be wrong on a host: each is told by its cause, keeps no other host back, and the next `up` heals."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from orchestrator.diagnosis.causes import Fault
from tests.faults import made
from tests.faults.fleets import Broken

pytestmark = [pytest.mark.real, pytest.mark.e2e]


@dataclass(frozen=True)
class Case:
    """Faults by server, what the run says of each, and the servers that must come through all the same."""

    faults: dict[str, made.Fault]
    texts: tuple[str, ...]
    failed: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


CASES = {
    "disk full, and a service that dies": Case(
        {"web-1": made.full_disk, "web-2": made.dying_unit},
        (
            f"web-1: {Fault.DISK} /var/cache/apt/archives is full (0 B free of 1.0 MiB): free space there",
            f"web-2: nginx.service {Fault.UNIT} (exit code 1: cannot read my certificate)",
        ),
        ("web-1", "web-2"),
    ),
    "no mirror; dpkg interrupted elsewhere, which heals by itself": Case(
        {"web-1": made.no_mirror, "web-2": made.interrupted_dpkg},
        (f"web-1: {Fault.MIRROR}", ":80 (Connection refused)"),
        ("web-1",),
    ),
    "package lock held": Case(
        {"web-1": made.held_lock},
        (f"web-1: {Fault.LOCK} (PID", "python3, running for"),
        ("web-1",),
        {"STEWARD_READY_SECONDS": "8"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_host_fault_is_told_keeps_no_other_back_and_heals(broken: Broken, name: str) -> None:
    case = CASES[name]
    with ExitStack() as until_mended:
        for server, fault in case.faults.items():
            until_mended.enter_context(fault(broken.container(server)))
        done = broken.up(**case.env)
    next_commands = [f"steward configure --fleet {broken.shop} --host {server}" for server in case.failed]
    broken.is_true(done, 3, *case.texts, *next_commands)
    report = broken.report()
    failed = {host["name"] for host in report["hosts"] if host["failed"] or host["unreachable"]}
    assert failed == set(case.failed)
    assert all(host["failed_task"] for host in report["hosts"] if host["failed"])
    assert {check["server"] for check in report["checks"]} == {"web-1", "web-2"} - failed, (
        "nothing is claimed"
    )
    broken.heals()
