"""Rules on real servers: a fleet as `up` leaves it blocks nothing; each change by hand is found by its rule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.world import World, command, container_of, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]

KEYS = "/home/steward/.ssh/authorized_keys"
FAULTS: list[tuple[str, str, str]] = [
    ("access.keys-listed",
     f"ssh-keygen -q -t ed25519 -N '' -C stranger -f /root/k && cat /root/k.pub >> {KEYS}",
     f"sed -i /stranger/d {KEYS}; rm -f /root/k /root/k.pub"),
    ("access.root-has-no-keys",
     "mkdir -p /root/.ssh && cat /etc/ssh/ssh_host_ed25519_key.pub > /root/.ssh/authorized_keys",
     "rm -rf /root/.ssh"),
    ("access.one-root", "useradd -o -u 0 -g 0 toor", "sed -i /^toor:/d /etc/passwd /etc/shadow"),
    ("access.no-empty-password", "useradd -m eve && passwd -d eve", "userdel -f -r eve; true"),
    ("access.sudo-listed", "echo 'mallory ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/99-mallory",
     "rm /etc/sudoers.d/99-mallory"),
    ("access.powerful-groups-listed", "useradd frank && usermod -aG sudo frank", "userdel -f frank"),
    ("ssh.keys-only", "echo 'PasswordAuthentication yes' > /etc/ssh/sshd_config.d/00-weak.conf; systemctl reload ssh",
     "rm /etc/ssh/sshd_config.d/00-weak.conf; systemctl reload ssh"),
    ("ssh.root-login-off", "echo 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/01-weak.conf; systemctl reload ssh",
     "rm /etc/ssh/sshd_config.d/01-weak.conf; systemctl reload ssh"),
    ("hardening.world-writable", "touch /etc/open && chmod 0666 /etc/open", "rm /etc/open"),
    ("hardening.setuid-known", "cp /usr/bin/id /usr/local/bin/sid && chmod 4755 /usr/local/bin/sid",
     "rm /usr/local/bin/sid"),
    ("hardening.file-modes", "chmod 0644 /etc/shadow", "chmod 0640 /etc/shadow /etc/shadow-"),
    ("hardening.units-healthy",
     ("printf '[Service]\\nExecStart=/bin/false\\n' > /etc/systemd/system/broken.service; "
     "systemctl daemon-reload; systemctl start broken"),
     "rm /etc/systemd/system/broken.service; systemctl daemon-reload; systemctl reset-failed; true"),
    ("hardening.firewall-denies", "nft delete table inet steward_host; nft delete table inet steward_edge",
     "nft -f /etc/steward/host.nft; nft -f /etc/steward/edge.nft"),
    ("hardening.ports-allowed", "systemd-run --unit=extra python3 -m http.server 8099", "systemctl stop extra"),
    ("hardening.ports-reachable", "true", "true"),
    ("patches.automatic-upgrades",
     "echo 'APT::Periodic::Unattended-Upgrade \"0\";' > /etc/apt/apt.conf.d/99off", "rm /etc/apt/apt.conf.d/99off"),
]  # fmt: skip
"""The rule that must find it, what a hand does on the host, and how that is undone. Two of them make the
open port that a neighbour sees: a listener, and no firewall before it."""
LOST = "ab" * 16
VAULT_FAULT = f"mkdir -p /srv/backup/{LOST}/snapshots && touch /srv/backup/{LOST}/config"


def test_a_fleet_as_up_leaves_it_blocks_nothing_and_each_fault_is_found_by_its_rule(demo: Demo) -> None:
    world, fleet = demo.world, demo.shop
    world.ok("up", "--fleet", fleet)
    faults_are_found(world, fleet, container_of(demo.vault, "vault-1"), "web-2")


def faults_are_found(world: World, fleet: Path, vault: str, server: str) -> None:
    """Clean before, every fault by its rule on its subject, clean after; a neighbour stays clean throughout."""
    assert blocking(world, fleet, 0) == set()
    host = container_of(fleet, server)
    stray = f"{host}-stray"
    marks = json.loads(command(["podman", "inspect", "--format", "{{json .Config.Labels}}", host]))
    try:
        for _, broken, _ in FAULTS:
            on_host(host, "sh", "-c", broken)
        mark = f"steward.stack-id={marks['steward.stack-id']}"
        command(["podman", "volume", "create", "--label", mark, stray])
        on_host(vault, "sh", "-c", f"{VAULT_FAULT} && chown -R steward-vault: /srv/backup/{LOST}")
        found = blocking(world, fleet, 1)
        assert {rule for rule, subject in found if subject == server} >= {rule for rule, *_ in FAULTS}
        assert ("population.nothing-is-orphaned", f"volume/{stray}") in found
        assert {subject for _, subject in found} == {server, f"volume/{stray}"}
        lost = [row for row in rows(world, fleet) if row["rule"] == "population.repository-has-plan"]
        assert [(row["subject"], row["state"]) for row in lost if row["state"] == "fail"] == [
            (f"repository/{LOST}", "fail")
        ]
    finally:
        for _, _, undone in FAULTS:
            on_host(host, "sh", "-c", undone, check=False)
        command(["podman", "volume", "rm", stray], check=False)
        on_host(vault, "rm", "-rf", f"/srv/backup/{LOST}", check=False)
    assert blocking(world, fleet, 0) == set()


def blocking(world: World, fleet: Path, code: int) -> set[tuple[str, str]]:
    """(rule, subject) of what makes `verify` end so; its facts and its policy report lie with the run."""
    done = world.steward("verify", "--fleet", fleet, "--json")
    assert done.code == code, done.all
    report: Mapping[str, Any] = json.loads(done.out)
    folder = world.home / "runs" / report["run"]
    names = {path.stem for path in (folder / "facts").glob("*.json")}
    assert names == {server["name"] for server in report["servers"]}
    assert json.loads((folder / "policy-report.json").read_text())["phase"] == "live"
    found = [each for each in report["findings"] if each["blocking"] and each["source"] == "policy"]
    return {(each["rule"], each["subject"]) for each in found}


def rows(world: World, fleet: Path) -> list[dict[str, Any]]:
    """Every pair of the newest report that tells something."""
    newest = max((world.home / "runs").glob("*/policy-report.json"))
    report = json.loads(newest.read_text())
    return [
        {"rule": each["rule"], "state": each["state"], "subject": report["subjects"][place]["name"]}
        for each in report["results"]
        for place in each["on"]
    ]
