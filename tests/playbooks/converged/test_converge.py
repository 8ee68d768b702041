"""The playbooks reach one state, stay there, and reach it in both ways of talking to hosts."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("playbooks")]


def test_second_converge_changes_nothing_with_mitogen_and_with_pipelining(trial: Any) -> None:
    """Of the vault; a shop is converged so by `tests/by_hand`."""
    mitogen = trial.converge(limit="vault")
    pipelining = trial.converge(limit="vault", mitogen=False)

    assert mitogen["vault"]["changed"] == 0
    assert mitogen == pipelining


def test_first_converge_changed_every_host(trial: Any) -> None:
    assert all(counts["changed"] > 0 and counts["failures"] == 0 for counts in trial.first[0].values())


def test_drift_is_put_right_and_nothing_else_is_touched(trial: Any) -> None:
    trial.hosts["web"].root("echo drift >> /etc/nginx/nginx.conf; systemctl disable --now nginx")

    changed = trial.converge(limit="web")["web"]["changed"]

    assert changed == 3  # the file, the unit, and the reload
    assert trial.hosts["web"].sudo("systemctl", "is-active", "nginx").out.strip() == "active"


def test_database_drift_is_seen_in_the_database_itself(trial: Any) -> None:
    db = trial.hosts["db"]
    db.sudo("psql", "-U", "postgres", "-c", "'drop table currencies'", "codes")

    changed = trial.converge(limit="db")["db"]["changed"]

    assert changed == 1
    assert db.sudo("psql", "-U", "postgres", "-Atc", "'select count(*) from currencies'", "codes").out != ""


def test_a_server_without_configuration_adopts_the_data_on_its_volume(trial: Any) -> None:
    """What a new server meets when it gets the data volume of an old one."""
    db = trial.hosts["db"]
    db.root("systemctl stop postgresql@15-main; rm -r /etc/postgresql/15/main")

    trial.converge(limit="db")

    found = db.sudo("psql", "-U", "postgres", "-Atc", "'select count(*) from pgbench_accounts'", "shop")
    assert found.out.strip() == "1000000"


@pytest.mark.parametrize(
    ("host", "variable", "value", "told"),
    [
        ("web", "nginx_site", "no-such-manual", "value of nginx_site must be one of"),
        ("web", "nginx_server_name", "a; } server { listen 81", "nginx_server_name is a host name"),
        ("db", "postgresql_databases", ["shop; drop"], "a database name is lower case"),
        ("web", "baseline_gateway", "0.0.0.0/0 accept; #", "an address must be"),
    ],
)
def test_a_value_that_could_leave_its_format_is_refused(
    trial: Any, host: str, variable: str, value: object, told: str
) -> None:
    before = dict(trial.variables[host])
    trial.variables[host] = before | {variable: value}
    try:
        trial.converge(limit=host, must=False)
    finally:
        trial.variables[host] = before

    assert any(told in line for line in trial.failed), trial.failed


def test_a_plan_that_is_gone_loses_its_timer(trial: Any) -> None:
    web, before = trial.hosts["web"], trial.variables["web"]["backup_plans"]
    trial.variables["web"]["backup_plans"] = [*before, before[0] | {"name": "second", "id": "e" * 32}]
    trial.converge("backup", limit="web")
    assert web.sudo("systemctl", "is-active", "steward-backup@second.timer").out.strip() == "active"
    trial.variables["web"]["backup_plans"] = before

    trial.converge("backup", limit="web")

    assert web.sudo("systemctl", "is-active", "steward-backup@second.timer").out.strip() == "inactive"
    assert "second" not in web.sudo("systemctl", "list-unit-files", "--no-legend", "steward-backup*").out
    assert web.sudo("systemctl", "is-active", "steward-backup@content.timer").out.strip() == "active"


def test_a_person_gets_an_account_and_loses_it(trial: Any) -> None:
    web = trial.hosts["web"]
    key = (web.folder / "key.pub").read_text().strip()
    trial.variables["web"]["baseline_users"] = [{"name": "ana", "keys": [key], "sudo": True}]
    trial.converge("baseline", limit="web")
    assert web.sudo("sudo", "-u", "ana", "sudo", "-n", "id", "-un").out.strip() == "root"
    trial.variables["web"]["baseline_users"] = []

    trial.converge("baseline", limit="web")

    assert web.sudo("id", "ana").code != 0
    assert web.sudo("grep", "-c", "ana", "/etc/sudoers.d/steward-people").out.strip() == "0"
