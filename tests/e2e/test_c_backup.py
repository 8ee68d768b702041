"""Backups on real parts: taken, listed, judged, restored and compared; refused where they would be a lie."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.world import container_of, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]


def test_every_plan_is_inside_its_rpo_by_the_vaults_receipts(demo: Demo) -> None:
    report = demo.world.report("backup", "status", "--fleet", demo.shop)
    rows = {(row["plan"], row["server"]): row for row in report["backups"]}
    assert set(rows) == {("site", "web-1"), ("site", "web-2"), ("databases", "db-1")}
    for row in rows.values():
        assert row["verdict"] == "pass"
        assert row["arrived_at"]
        assert row["next_at"]
        assert 0 <= row["age_seconds"] <= row["rpo_seconds"]


def test_a_backup_is_taken_on_demand_and_listed(demo: Demo) -> None:
    before = demo.world.report("backup", "list", "--fleet", demo.shop, "--host", "web-1")["servers"]["web-1"]
    taken = demo.world.report("backup", "run", "--fleet", demo.shop, "--host", "web-1", "--plan", "site")
    assert [row["taken_in_this_run"] for row in taken["backups"] if row["looked_at"]] == [True]
    after = demo.world.report("backup", "list", "--fleet", demo.shop, "--host", "web-1")["servers"]["web-1"]
    assert len(after) == len(before) + 1
    assert after[-1]["id"] == taken["backups"][0]["snapshot"]


def test_a_restored_site_is_the_same_by_hash(demo: Demo) -> None:
    done = demo.world.report("backup", "restore", "--fleet", demo.shop, "--host", "web-2", "--plan", "site")
    assert done["result"]["ok"]
    assert done["result"]["files_compared"] > 20
    assert done["result"]["files_different"] == []


def test_a_restored_database_is_the_same_by_table_digests(demo: Demo) -> None:
    done = demo.world.report(
        "backup", "restore", "--fleet", demo.shop, "--host", "db-1", "--plan", "databases"
    )
    assert done["result"]["ok"]
    assert done["result"]["tables_compared"] >= 7
    database = container_of(demo.shop, "db-1")
    names = on_host(
        database, "runuser", "-u", "postgres", "--", "psql", "-XAtqc", "select datname from pg_database"
    )
    assert "restore" not in names  # the scratch databases are gone


def test_a_missing_path_is_a_failure_and_makes_no_snapshot(demo: Demo) -> None:
    web = container_of(demo.shop, "web-2")
    listed = ("backup", "list", "--fleet", demo.shop, "--host", "web-2")
    before = demo.world.report(*listed)["servers"]["web-2"]
    on_host(web, "mv", "/var/www", "/var/www.away")
    try:
        done = demo.world.steward("backup", "run", "--fleet", demo.shop, "--host", "web-2", "--plan", "site")
    finally:
        on_host(web, "mv", "/var/www.away", "/var/www")
    assert done.code == 1, done.all
    assert "/var/www" in done.out, done.all
    assert demo.world.report(*listed)["servers"]["web-2"] == before


def test_a_dead_dump_is_a_failure_and_makes_no_snapshot(demo: Demo) -> None:
    database = container_of(demo.shop, "db-1")
    listed = ("backup", "list", "--fleet", demo.shop, "--host", "db-1")
    before = demo.world.report(*listed)["servers"]["db-1"]
    on_host(database, "systemctl", "stop", "postgresql@15-main")
    try:
        done = demo.world.steward(
            "backup", "run", "--fleet", demo.shop, "--host", "db-1", "--plan", "databases"
        )
    finally:
        on_host(database, "systemctl", "start", "postgresql@15-main")
    assert done.code == 1, done.all
    assert "failed" in done.out, done.all
    assert demo.world.report(*listed)["servers"]["db-1"] == before
    demo.world.report("backup", "run", "--fleet", demo.shop, "--host", "db-1")


def test_a_host_can_neither_delete_nor_add_a_key_nor_see_another_repository(demo: Demo) -> None:
    web, other = (container_of(demo.shop, name) for name in ("web-1", "web-2"))
    credentials = json.loads(repository_record(demo, "web-1"))
    other_id = json.loads(repository_record(demo, "web-2"))["id"]
    probe = (
        "import base64, http.client, json, ssl, sys\n"
        "host, user, password, other, snapshot = sys.argv[1:]\n"
        "context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE\n"
        "auth = {'Authorization': 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()}\n"
        "def ask(method, path, body=None):\n"
        "    c = http.client.HTTPSConnection(host, 8443, context=context, timeout=10)\n"
        "    c.request(method, path, body, auth); return c.getresponse().status\n"
        "print(json.dumps([ask('GET', f'/{user}/config'), ask('DELETE', f'/{user}/snapshots/{snapshot}'),\n"
        "  ask('POST', f'/{user}/keys/' + 'a' * 64, b'x'), ask('GET', f'/{other}/config'),\n"
        "  ask('POST', f'/{user}/?create=true'), ask('DELETE', f'/{user}/config')]))\n"
    )
    vault = demo.world.report("verify", "--fleet", demo.vault)["servers"][0]["address"]
    listed = demo.world.report("backup", "list", "--fleet", demo.shop, "--host", "web-1")
    snapshot = listed["servers"]["web-1"][0]["id"]
    words = (vault, credentials["id"], credentials["http_password"], other_id, snapshot)
    config, delete, add_key, foreign, create, delete_config = json.loads(
        on_host(web, "python3", "-c", probe, *words)
    )
    assert config == 200
    assert delete in (403, 405)
    assert add_key == 403
    assert create == 403
    assert delete_config in (403, 405)
    assert foreign in (401, 403)
    assert on_host(other, "systemctl", "is-active", "steward-backup@site.timer").strip() == "active"


def repository_record(demo: Demo, server: str) -> str:
    """The credentials file of a server's repository."""
    for path in (demo.world.home / "keys" / "e2e-vault" / "repositories").glob("*.json"):
        text = path.read_text()
        if json.loads(text)["server"] == server:
            return text
    raise AssertionError(f"{server} has no repository")
