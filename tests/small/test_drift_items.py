"""One of two changes by hand is accepted on a real server: the next drift shows only the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import World, container_of, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]

CRON = "/etc/cron.d/reviewed"


def test_one_reviewed_change_is_accepted_and_the_other_stays_drift(box: tuple[World, Path]) -> None:
    world, fleet = box
    container = container_of(fleet, "box-1")
    on_host(container, "sh", "-c", f"echo '0 5 * * * root true' > {CRON}")
    on_host(container, "useradd", "--create-home", "mallory")
    assert drifted(world, fleet) == {("file", CRON), ("user", "mallory")}
    accept = ("drift", "--fleet", fleet, "--host", "box-1", "--accept", "--item")

    wrong = world.steward(*accept, "/etc/cron.d/review")
    assert wrong.code == 2, wrong.all
    assert f"Did you mean 'file {CRON}'?" in wrong.err
    assert drifted(world, fleet) == {("file", CRON), ("user", "mallory")}

    done = world.steward(*accept, f"file {CRON}")
    assert done.code == 1, done.all
    assert f"box-1: file {CRON}" in done.err
    assert drifted(world, fleet) == {("user", "mallory")}

    on_host(container, "userdel", "--remove", "mallory", check=False)  # it has no mail box, and says so
    assert drifted(world, fleet, code=0) == set()
    (host,) = world.report("up", "--fleet", fleet)["hosts"]
    assert host["unchanged_since"], "what was accepted is no reason to converge"
    on_host(container, "rm", CRON)
    assert drifted(world, fleet) == {("file", CRON)}, "it was accepted, so now it is missed"


def drifted(world: World, fleet: Path, code: int = 1) -> set[tuple[str, str]]:
    """Kind and name of all that a drift names, which must end in this exit code."""
    done = world.steward("drift", "--fleet", fleet, "--json")
    assert done.code == code, done.all
    found: dict[str, Any] = json.loads(done.out)
    return {(item["kind"], item["name"]) for subject in found["subjects"] for item in subject["items"]}
