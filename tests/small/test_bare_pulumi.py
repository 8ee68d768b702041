"""`steward env`: a person's own pulumi uses the same toolchain, backend and rules."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest

from tests.e2e.world import TINY, World, podman_objects

pytestmark = [pytest.mark.real, pytest.mark.e2e]

OPEN_SSH = TINY + "    ingress:\n      - {from: anywhere, port: 22}\n"


def test_preview_up_and_destroy_of_a_new_fleet_by_hand(tiny: tuple[World, Path]) -> None:
    world, fleet = tiny
    before = podman_objects("e2e-tiny")
    done = world.shell("pulumi preview && pulumi up --yes --skip-preview && pulumi up --yes", fleet)
    assert done.code == 0, done.all
    assert "steward@" in done.out  # the pack ran
    assert "unchanged" in done.out.splitlines()[-4] or "unchanged" in done.out
    assert len(podman_objects("e2e-tiny")["containers"] - before["containers"]) == 1
    gone = world.shell("pulumi destroy --yes", fleet)
    assert gone.code == 0, gone.all
    assert podman_objects("e2e-tiny") == before


def test_a_refused_preview_blocks_names_the_rule_and_is_quick(tiny: tuple[World, Path]) -> None:
    world, _ = tiny
    fleet = world.fleet("tiny.yaml", OPEN_SSH)
    before = podman_objects("e2e-tiny")
    script = 'TIMEFORMAT="took %R %U %S"; time (pulumi preview || true)'
    times = []
    for _ in range(3):
        done = world.shell(script, fleet)
        assert "network.ssh-not-public" in done.out, done.all
        times.append([float(word) for word in done.err.rsplit("took ", 1)[1].split()[:3]])
    print(f"refused preview (wall, user, system): {times}")
    assert min(user + system for _, user, system in times) < 2.5  # other tests use the processors, too
    refused = world.shell("pulumi up --yes", fleet)
    assert refused.code != 0
    assert "network.ssh-not-public" in refused.out
    assert podman_objects("e2e-tiny") == before


def test_steward_refuses_the_same_plan_with_a_whole_report(tiny: tuple[World, Path]) -> None:
    world, _ = tiny
    fleet = world.fleet("tiny.yaml", OPEN_SSH)
    began = monotonic()
    done = world.steward("up", "--fleet", fleet)
    assert done.code == 1, done.all
    assert "network.ssh-not-public" in done.out
    assert "Traceback" not in done.err
    assert monotonic() - began < 30
    pages = list((world.home / "runs").glob("*/report.html"))
    assert len(pages) == 1
    assert "network.ssh-not-public" in pages[0].read_text()
