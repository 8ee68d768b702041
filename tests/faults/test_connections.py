"""Hosts that go away in the middle, and one that is not who it was."""

from __future__ import annotations

import re
import sqlite3

import pytest

from orchestrator.diagnosis.causes import Fault
from tests.e2e.world import on_host
from tests.faults import made
from tests.faults.fleets import Broken

pytestmark = [pytest.mark.real, pytest.mark.e2e]
MIDDLE = "Look at packages"
"""A task in the middle of a converge, by the line that the running steward says."""


@pytest.mark.parametrize("fault", ["vanishes", "is cut off"])
def test_a_host_that_goes_away_half_way_is_told_and_the_other_is_configured(
    broken: Broken, fault: str
) -> None:
    web = broken.container("web-1")
    strike = made.vanish if fault == "vanishes" else made.cut_ssh
    # Of a host that vanished the port is shut at once or only after a while: either is what was seen.
    said = (Fault.DOWN, Fault.NO_ANSWER) if fault == "vanishes" else (Fault.NO_ANSWER,)
    done = broken.at("configure", "--fleet", broken.shop, line=MIDDLE, act=lambda _: strike(web))
    if fault == "is cut off":
        made.let_ssh(web)
    broken.is_true(done, 3, f"steward configure --fleet {broken.shop} --host web-1")
    assert any(f"web-1: {each}" in " ".join(done.all.split()) for each in said), done.all
    hosts = {host["name"]: host for host in broken.report()["hosts"]}
    assert hosts["web-1"]["unreachable"] or hosts["web-1"]["failed"]
    assert not hosts["web-2"]["failed"] and not hosts["web-2"]["unreachable"]
    broken.heals()


def test_a_wrong_host_key_is_refused_until_a_person_names_the_new_one(broken: Broken) -> None:
    web, repin = broken.container("web-1"), ("repin", "--fleet", broken.shop, "--host", "web-1")
    broken.is_true(broken.world.steward(*repin), 0, "web-1 shows the pinned key SHA256:")
    with made.other_host_key(web):
        refused = broken.world.steward("configure", "--fleet", broken.shop)
        broken.is_true(refused, 3, f"web-1: {Fault.HOST_KEY}", "steward repin")
        assert not next(h for h in broken.report()["hosts"] if h["name"] == "web-2")["failed"]
        shown = broken.world.steward(*repin)
        broken.is_true(shown, 1, "nothing was changed")
        old, new = fingerprints(shown.err)
        assert new in on_host(web, "ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub")
        broken.is_true(broken.world.steward(*repin, "--accept", old), 2, new, old)
        broken.is_true(broken.world.steward(*repin, "--accept", new), 0, f"{new} instead of {old}")
        broken.world.ok("configure", "--fleet", broken.shop, "--host", "web-1")
    with sqlite3.connect(broken.world.home / "steward.db") as ledger:
        rows = ledger.execute("select server, run, actor from host_key_pins").fetchall()
    assert [row[0] for row in rows] == ["web-1"] and all(all(row) for row in rows)
    # The old key is back: that is a wrong one now, and the way back is the same explicit one.
    assert broken.world.steward("configure", "--fleet", broken.shop, "--host", "web-1").code == 3
    broken.is_true(broken.world.steward(*repin, "--accept", old), 0, f"{old} instead of {new}")
    broken.heals()


def fingerprints(text: str) -> tuple[str, str]:
    """The pinned and the shown fingerprint of a refusal."""
    found = re.search(r"pinned (SHA256:\S+), shown (SHA256:[^;\s]+)", " ".join(text.split()))
    assert found, text
    return found[1], found[2]
