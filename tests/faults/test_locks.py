"""One writer a stack: who has it is named, and a dead one's lock is broken with proof."""

from __future__ import annotations

import getpass
import json
import os
import signal
import subprocess

import pytest

from tests.e2e.world import Outcome, command
from tests.faults.fleets import Broken

pytestmark = [pytest.mark.real, pytest.mark.e2e]


def test_the_second_of_two_is_told_who_works_and_touches_nothing(broken: Broken) -> None:
    second: list[Outcome] = []
    first = broken.at(
        "configure", "--fleet", broken.shop, line="configure …", act=lambda _: second.append(broken.up())
    )
    assert first.code == 0, first.all
    (refused,) = second
    assert refused.code == 2, refused.all
    folded = " ".join(refused.err.split())
    for text in ("faults-shop: another steward works on this stack", "got steward configure, process ",
                 f" of {getpass.getuser()} on ", ", since 20", "Wait until it ends, or stop it: kill -INT "):  # fmt: skip
        assert text in folded, refused.all
    assert broken.ledger()[0]["verb"] == "configure", "the refused one is no run"
    broken.left_nothing()


def test_a_dead_ones_lock_is_broken_with_proof_and_its_run_is_closed(broken: Broken) -> None:
    """Killed in the middle of a converge: steward alone, so that what it started has to end by itself."""
    pids: list[int] = []

    def kill(process: subprocess.Popen[str]) -> None:
        pids.append(process.pid)
        os.kill(process.pid, signal.SIGKILL)

    killed = broken.at("configure", "--fleet", broken.shop, line="Look at packages", act=kill)
    assert killed.code == -signal.SIGKILL
    assert broken.ledger()[0]["exit_code"] is None, "it could not say any more how it ended"
    healed = broken.up()
    assert healed.code == 0, healed.all
    folded = " ".join(healed.err.split())
    assert (
        f"broke the lock of a dead steward configure, process {pids[0]} of {getpass.getuser()} on " in folded
    )
    assert f"no process {pids[0]} runs any more" in folded
    assert "was killed: ending what it left on the servers" in folded
    assert broken.ledger()[1]["exit_code"] == 3
    assert plays_of(broken) == []
    broken.left_nothing()


def test_pulumis_own_lock_of_a_dead_one_is_broken_with_proof(broken: Broken) -> None:
    folder = broken.world.home / "pulumi" / ".pulumi" / "locks" / "organization" / "steward" / "faults-shop"
    folder.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(["true"]) as process:
        process.wait()
    told = {
        "pid": process.pid,
        "username": "anna",
        "hostname": os.uname().nodename,
        "timestamp": "2026-11-22T10:00:00Z",
    }
    (folder / "dead.json").write_text(json.dumps(told))
    up = broken.up()
    assert up.code == 0, up.all
    assert f"broke the lock of a dead pulumi (process {process.pid} of anna" in " ".join(up.err.split())
    assert not (folder / "dead.json").exists()


def plays_of(broken: Broken) -> list[str]:
    """Ansible jobs of this world that still run."""
    return [
        line
        for line in command(["ps", "-eo", "args"]).splitlines()
        if "plays.job" in line and str(broken.world.home) in line
    ]
