"""Drift on real servers: fifteen changes by hand are found, no other; one `up` heals them; nothing is laundered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.world import command, container_of, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]

SPARE = "networks:\n  spare: {cidr: 10.77.0.0/24}\n"
SQL = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-c"]

ON_HOSTS: list[tuple[str, tuple[str, str], list[str]]] = [
    ("web-1", ("file", "/etc/nginx/nginx.conf"), ["sh", "-c", "echo '# by hand' >> /etc/nginx/nginx.conf"]),
    ("web-1", ("file", "/etc/sudoers.d/steward-people"),
     ["sh", "-c", "echo 'mallory ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers.d/steward-people"]),
    ("web-1", ("package", "debian-reference-en"), ["dpkg", "--remove", "--force-depends", "debian-reference-en"]),
    ("web-1", ("unit", "apt-daily.timer"), ["systemctl", "mask", "--now", "apt-daily.timer"]),
    ("web-1", ("unit", "nginx.service"), ["systemctl", "stop", "nginx.service"]),
    ("web-1", ("file", "/var/www/debian-reference/index.en.html"),
     ["sh", "-c", "echo defaced > /var/www/debian-reference/index.en.html"]),
    ("db-1", ("firewall", "table inet steward_host"), ["nft", "delete", "table", "inet", "steward_host"]),
    ("db-1", ("file", "/etc/steward/host.nft"), ["chmod", "0666", "/etc/steward/host.nft"]),
    ("db-1", ("file", "/etc/ssh/sshd_config.d/10-steward.conf"),
     ["sed", "-i", "s/^PasswordAuthentication.*/PasswordAuthentication yes/", "/etc/ssh/sshd_config.d/10-steward.conf"]),
    ("db-1", ("file", "/usr/local/sbin/steward-backup"), ["rm", "/usr/local/sbin/steward-backup"]),
    ("db-1", ("unit", "steward-backup@databases.timer"),
     ["systemctl", "disable", "--now", "steward-backup@databases.timer"]),
    ("db-1", ("database", "shop"), [*SQL, "alter database shop owner to postgres"]),
]  # fmt: skip
"""Server, what drift must call it, and what a hand did."""
UNMANAGED = [
    (
        "web-1",
        ("file", "/etc/cron.d/mallory"),
        ["sh", "-c", "echo '* * * * * root id' > /etc/cron.d/mallory"],
    ),
    ("web-1", ("user", "mallory"), ["useradd", "--create-home", "mallory"]),
    ("db-1", ("role", "mallory"), [*SQL, "create role mallory superuser login"]),
]


def test_fifteen_changes_by_hand_are_found_and_healed(demo: Demo) -> None:
    world, fleet = demo.world, demo.shop
    if "spare" not in fleet.read_text():
        fleet.write_text(fleet.read_text().replace("networks:\n", SPARE))
    world.ok("up", "--fleet", fleet)
    clean = drift(demo, 0)
    assert (clean["items"], clean["unknown"], clean["drifted"]) == (0, 0, 0)
    assert len(clean["subjects"]) >= 14

    containers = {name: container_of(fleet, name) for name in ("web-1", "web-2", "db-1")}
    for server, _, argv in ON_HOSTS:
        on_host(containers[server], *argv)
    on_host(
        containers["db-1"],
        "nft",
        "add",
        "rule",
        "inet",
        "steward_edge",
        "input",
        "tcp",
        "dport",
        "99",
        "accept",
    )
    command(["podman", "rm", "--force", "--time", "0", containers["web-2"]])
    network = command(["podman", "network", "ls", "--filter", "name=spare", "--format", "{{.Name}}"]).strip()
    command(["podman", "network", "rm", network])

    seeded = {(server, *what) for server, what, _ in ON_HOSTS}
    seeded |= {("db-1", "firewall", "db-1"), ("web-2", "server", "web-2"), ("", "network", "spare")}
    assert len(seeded) == 15
    for _ in range(2):  # looking changes nothing
        found = drift(demo, 1)
        items = [item for subject in found["subjects"] for item in subject["items"]]
        assert {(item["server"], item["kind"], item["name"]) for item in items} == seeded
        assert found["items"] == len(items) == 15
    unknown = [subject["name"] for subject in found["subjects"] if subject["state"] == "unknown"]
    assert unknown == ["web-2"]  # nobody can look at a host that is gone
    assert [line.split()[-1] for line in found["next"]] == ["--refresh"], found["next"]
    rule = next(item for item in items if item["kind"] == "firewall" and item["name"] == "db-1")
    assert "tcp dport 99 accept" in rule["observed"]

    healed = world.steward("up", "--fleet", fleet, "--refresh")
    assert healed.code == 1, healed.all  # web-2 is new and empty, which a person has to accept
    assert "site/web-2 NOT RESTORED" in " ".join(healed.out.split()), healed.all
    world.ok("backup", "accept", "--fleet", fleet, "--host", "web-2")
    assert drift(demo, 0)["items"] == 0


def test_what_no_role_manages_is_told_until_it_is_undone_or_accepted(demo: Demo) -> None:
    world, fleet = demo.world, demo.shop
    containers = {name: container_of(fleet, name) for name in ("web-1", "db-1")}
    for server, _, argv in UNMANAGED:
        on_host(containers[server], *argv)
    world.ok("up", "--fleet", fleet)
    settled = world.report("up", "--fleet", fleet)
    assert all(host["unchanged_since"] for host in settled["hosts"])  # a no-op stays quick
    items = [item for subject in drift(demo, 1)["subjects"] for item in subject["items"]]
    assert {(item["server"], item["kind"], item["name"]) for item in items} == {
        (server, *what) for server, what, _ in UNMANAGED
    }
    assert all(item["unhealed_since"] for item in items)
    world.ok("drift", "--fleet", fleet, "--host", "db-1", "--accept")
    on_host(containers["web-1"], "systemctl", "stop", "nginx")
    refused = world.steward("drift", "--fleet", fleet, "--host", "web-1", "--accept")
    assert refused.code == 1, refused.all
    assert "nothing was accepted" in refused.all
    assert "nginx.service is inactive" in refused.all
    on_host(containers["web-1"], "systemctl", "start", "nginx")
    on_host(containers["web-1"], "rm", "/etc/cron.d/mallory")
    on_host(
        containers["web-1"], "userdel", "--remove", "mallory", check=False
    )  # it has no mail box, and says so
    assert drift(demo, 0)["items"] == 0
    on_host(containers["db-1"], *SQL, "drop role mallory")
    assert drift(demo, 1)["items"] == 1  # it was accepted, so now it is missed
    world.ok("drift", "--fleet", fleet, "--host", "db-1", "--accept")


def drift(demo: Demo, code: int) -> dict[str, Any]:
    """The document of a drift that must end in this exit code."""
    done = demo.world.steward("drift", "--fleet", demo.shop, "--json")
    assert done.code == code, done.all
    return dict(json.loads(done.out))
