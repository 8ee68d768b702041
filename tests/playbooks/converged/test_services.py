"""What the hosts do after a converge, seen from inside and outside."""

from __future__ import annotations

import http.client
import json
import subprocess
from typing import Any

import pytest

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("playbooks")]


def get(address: str, path: str) -> tuple[int, bytes]:
    """Status and body of one request."""
    connection = http.client.HTTPConnection(address, 80, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_nginx_serves_the_manual_and_its_health(trial: Any) -> None:
    address = trial.hosts["web"].address

    assert get(address, "/")[0] == 200
    assert b"Debian Reference" in get(address, "/")[1]
    assert get(address, "/ch05.en.html")[0] == 200
    assert get(address, "/steward/health") == (200, b"ok\n")
    assert get(address, "/.htaccess")[0] == 404


@pytest.mark.parametrize(
    ("database", "query", "answer"),
    [
        ("shop", "select count(*) from pgbench_accounts", 1_000_000),
        ("shop", "select count(*) from pgbench_branches", 10),
        ("codes", "select count(*) from countries", 249),
        ("codes", "select count(*) from subdivisions", 5127),
        ("codes", "select count(*) from languages", 7910),
        ("codes", "select count(*) from currencies", 181),
        ("codes", "select count(*) from scripts", 182),
    ],
)
def test_databases_hold_what_was_loaded(trial: Any, database: str, query: str, answer: int) -> None:
    found = trial.hosts["db"].sudo("psql", "-U", "postgres", "-Atc", f"'{query}'", database)

    assert int(found.out) == answer


def test_tables_belong_to_the_owner_of_their_database(trial: Any) -> None:
    script = "psql -U postgres -Atc \"select distinct tableowner from pg_tables where schemaname = 'public'\""
    for database in ("shop", "codes"):
        assert trial.hosts["db"].root(f"{script} {database}").out.split() == [database]


@pytest.mark.parametrize(
    ("user", "options"),
    [
        ("root", ["-o", "PreferredAuthentications=publickey"]),
        ("steward", ["-o", "PreferredAuthentications=password,keyboard-interactive"]),
        ("nobody", ["-o", "PreferredAuthentications=publickey"]),
    ],
)
def test_ssh_refuses_root_passwords_and_strangers(trial: Any, user: str, options: list[str]) -> None:
    for host in trial.hosts.values():
        argv = [*host.ssh(*options), f"{user}@127.0.0.1", "true"]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert ended.returncode == 255
        assert "Permission denied (publickey)" in ended.stderr


def test_ssh_settings_in_force_are_the_hardened_ones(trial: Any) -> None:
    shown = trial.hosts["web"].sudo("sshd", "-T").out.splitlines()

    assert {"permitrootlogin no", "passwordauthentication no", "allowusers steward"} <= set(shown)


def test_the_host_firewall_is_loaded_and_drops_what_is_not_listed(trial: Any) -> None:
    web, db = trial.hosts["web"], trial.hosts["db"]
    listed = json.loads(web.sudo("nft", "-j", "list", "table", "inet", "steward_host").out)
    chains = [item["chain"] for item in listed["nftables"] if "chain" in item]
    knock = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"

    assert [(chain["hook"], chain["policy"]) for chain in chains] == [("input", "drop")]
    assert web.root(f"python3 -c '{knock}' {db.address} 5432").code == 0
    assert web.root(f"python3 -c '{knock}' {db.address} 22").code == 1
    assert trial.hosts["vault"].root(f"python3 -c '{knock}' {db.address} 5432").code == 1


def test_the_firewall_leaves_other_tables_alone(trial: Any) -> None:
    web = trial.hosts["web"]
    web.root("nft add table inet steward_edge")

    web.sudo("systemctl", "reload", "steward-host-firewall")

    assert web.sudo("nft", "list", "tables").out.count("inet steward_") == 2
    web.root("nft delete table inet steward_edge")


def test_security_updates_come_by_themselves(trial: Any) -> None:
    web = trial.hosts["web"]
    shown = web.sudo("apt-config", "dump").out

    assert 'APT::Periodic::Unattended-Upgrade "1";' in shown
    assert shown.count("Unattended-Upgrade::Origins-Pattern:: ") == 1
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        assert web.sudo("systemctl", "is-active", timer).out.strip() == "active"


def test_no_unit_failed_on_any_host(trial: Any) -> None:
    for host in trial.hosts.values():
        assert host.sudo("systemctl", "--failed", "--no-legend", "--plain").out == ""


def test_what_was_stopped_or_flushed_comes_back(trial: Any) -> None:
    web = trial.hosts["web"]
    web.root("systemctl stop nginx steward-host-firewall; nft delete table inet steward_host")

    trial.converge(limit="web")

    assert get(web.address, "/steward/health")[0] == 200
    assert "steward_host" in web.sudo("nft", "list", "tables").out
