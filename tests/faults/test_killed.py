"""kill -9 of each part in the middle of its work: the run ends true, and the next one heals."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.world import on_host, podman_objects
from tests.faults import made
from tests.faults.fleets import Broken

pytestmark = [pytest.mark.real, pytest.mark.e2e]


def processes(broken: Broken, *words: str) -> list[int]:
    """Processes of this world whose command line holds all words."""
    mark, found = f"STEWARD_HOME={broken.world.home}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            ours = mark in (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if ours and all(word in line for word in words):
            found.append(int(folder.name))
    return found


def kill(find: Callable[[], list[int]]) -> None:
    """KILL every process that is found, and at least one."""
    pids = find()
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_ansible(broken: Broken) -> None:
    done = broken.at(
        "configure", "--fleet", broken.shop, line="Look at packages",
        act=lambda _: kill(lambda: processes(broken, "ansible-playbook")),
    )  # fmt: skip
    broken.is_true(
        done, 3, "ansible was killed in the middle of 'Look at packages", "steward configure --fleet"
    )
    assert all(host["failed"] or host["unreachable"] for host in broken.report()["hosts"]), (
        "nothing is claimed"
    )
    assert processes(broken, "ansible") == []
    broken.heals()


def test_podman_and_the_engine_while_they_make_a_server(broken: Broken) -> None:
    """A third server is added; each part is killed in an `up` of its own, and the last `up` finds them all."""
    text = broken.shop.read_text()
    before = podman_objects("faults")["containers"]
    broken.shop.write_text(text.replace("count: 2", "count: 3"))
    try:
        for seen, part in ((CREATE, CREATE), (START, START), (START, ENGINE)):
            done = broken.at(
                "up", "--fleet", broken.shop, line="provision …", act=partial(strike, broken, seen, part)
            )
            broken.is_true(done, 3, "was killed by signal", "steward up")
        healed = broken.up()
        assert healed.code == 0, healed.all
        assert len(podman_objects("faults")["containers"] - before) == 1, "made once"
    finally:
        broken.shop.write_text(text)
    broken.heals()
    assert podman_objects("faults")["containers"] == before


CREATE, START, ENGINE = ("podman ", " create "), ("podman ", " start "), ("pulumi ", " up ")
"""Words of the command lines of what makes a server."""


def strike(broken: Broken, seen: tuple[str, ...], part: tuple[str, ...], run: subprocess.Popen[str]) -> None:
    """Kill a part as soon as another one (or the same) is at work."""
    while run.poll() is None:
        found = processes(broken, *seen)
        killed = 0
        for pid in found and (found if part == seen else processes(broken, *part)):
            with suppress(ProcessLookupError):  # it ended by itself
                os.kill(pid, signal.SIGKILL)
                killed += 1
        if killed:
            return
    raise AssertionError(f"no {seen} was ever there")


def test_restic_in_the_middle_of_a_backup(broken: Broken) -> None:
    web = broken.container("web-1")
    made.sh(web, "head -c 300M /dev/urandom > /var/www/big")
    try:
        done = broken.at(
            "backup", "run", "--fleet", broken.shop, "--host", "web-1", line="backup …",
            act=lambda _: made.sh(web, "until pkill -KILL -x restic; do :; done"),
        )  # fmt: skip
    finally:
        made.sh(web, "rm /var/www/big")
    broken.is_true(
        done,
        1,
        "site/web-1",
        "the backup of this run: failed: site: restic backup",
        "steward backup run --fleet",
    )
    again = broken.world.steward("backup", "run", "--fleet", broken.shop, "--host", "web-1")
    assert again.code == 0, again.all
    assert on_host(web, "sh", "-c", "ls /var/lib/steward-backup/*/staging 2>/dev/null || true").strip() == ""
    broken.heals()
