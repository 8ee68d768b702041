"""A server that is gone, or was only half made: the next `up` heals."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.world import World, command, container_of, podman_objects

pytestmark = [pytest.mark.real, pytest.mark.e2e]


def test_a_server_removed_by_hand_comes_back(box: tuple[World, Path]) -> None:
    world, fleet = box
    container = container_of(fleet, "box-1")
    command(["podman", "rm", "--force", "--time", "0", container])
    down = world.steward("verify", "--fleet", fleet, seconds=400)
    assert down.code == 3 and "box-1" in down.all, down.all
    back = world.steward("up", "--fleet", fleet)
    assert back.code == 0, back.all


def test_a_run_killed_while_it_provisions_is_healed_by_the_next_up(tiny: tuple[World, Path]) -> None:
    world, fleet = tiny
    before = podman_objects("e2e-tiny")
    process = world.start("up", "--fleet", fleet)
    assert process.stderr is not None
    for line in process.stderr:
        if "provision" in line:
            break
    deadline = time.monotonic() + 30
    while podman_objects("e2e-tiny") == before and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)  # steward, pulumi and its plugins at once
    process.wait(timeout=30)
    healed = world.steward("up", "--fleet", fleet)
    assert healed.code == 0, healed.all
    assert len(podman_objects("e2e-tiny")["containers"] - before["containers"]) == 1
    runs = json.loads(world.steward("runs", "--json").out)["runs"]
    assert all(run["exit_code"] is not None for run in runs)  # none is at work for ever
