"""Faults inside a run: each ends with a true state, a message that says what happened, and an `up` that heals."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.world import World, command, container_of, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]


def test_a_stopped_run_leaves_no_process_here_or_on_the_host(demo: Demo) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        stopped(demo, number)
    demo.world.ok("configure", "--fleet", demo.shop)


def stopped(demo: Demo, number: signal.Signals) -> None:
    """A converge that gets this signal in its middle."""
    web = container_of(demo.shop, "web-1")
    on_host(web, "sh", "-c", "rm -rf /var/lib/apt/lists/*")
    before = own_processes(demo.world)
    process = demo.world.start("configure", "--fleet", demo.shop)
    assert process.stderr is not None
    for line in process.stderr:
        if "Look at packages" in line or "Install packages" in line:
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    deadline = time.monotonic() + 15
    while (left := own_processes(demo.world) - before) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left
    run = newest_run(demo.world)
    for server in ("web-1", "web-2", "db-1"):
        container = container_of(demo.shop, server)
        found = on_host(container, "sh", "-c", f"grep -lsz STEWARD_RUN={run} /proc/[0-9]*/environ || true")
        assert found.strip() == "", server
    runs = json.loads(demo.world.steward("runs", "--json", "--limit", "1").out)["runs"]
    assert runs[0]["exit_code"] == 130


def test_servers_come_back_after_a_stop_of_everything(demo: Demo) -> None:
    containers = [container_of(demo.shop, name) for name in ("web-1", "db-1")]
    command(["podman", "stop", "--time", "5", *containers])
    command(["podman", "start", *containers])
    done = demo.world.steward("up", "--fleet", demo.shop)
    assert done.code == 0, done.all


def test_two_stewards_at_once_one_is_told_who_works(demo: Demo) -> None:
    first = demo.world.start("configure", "--fleet", demo.shop, "--host", "web-1")
    assert first.stderr is not None
    for line in first.stderr:
        if "configure" in line:
            break
    second = demo.world.steward("up", "--fleet", demo.shop)
    assert second.code == 2 and "another steward" in second.err and str(first.pid) in second.err, second.all
    assert first.wait(timeout=300) == 0


def own_processes(world: World) -> set[str]:
    """Processes that were started by a steward of this world, by the state folder in their environment."""
    mark, found = f"STEWARD_HOME={world.home}".encode(), set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = mark in (folder / "environ").read_bytes().split(b"\0")
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if ours and "conmon" not in line:  # the monitors of the containers live as long as those
            found.add(f"{folder.name} {line[:120]}")
    return found


def newest_run(world: World) -> str:
    """Id of the newest run."""
    return max(path.name for path in (world.home / "runs").iterdir())
