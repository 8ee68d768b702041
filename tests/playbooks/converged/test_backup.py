"""Backups into the vault and back again, and everything that must count as failed."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("playbooks")]

BACKUP = "/usr/local/sbin/steward-backup"
PSQL = ("psql", "-U", "postgres", "-qAtc")


def back_up(host: Any, plan: str, run: str) -> Any:
    """The document of one run."""
    return host.sudo(BACKUP, "run", "--plan", plan, "--run", run).json


@pytest.fixture(scope="session")
def stored(trial: Any) -> dict[str, Any]:
    """The first good backup of each plan."""
    return {
        "content": back_up(trial.hosts["web"], "content", "first"),
        "dumps": back_up(trial.hosts["db"], "dumps", "first"),
    }


def snapshots(host: Any) -> list[str]:
    """Ids of the host's snapshots."""
    return [each["id"] for each in host.sudo(BACKUP, "list").json["snapshots"]]


def test_first_backups_are_good_and_the_store_has_receipts(trial: Any, stored: dict[str, Any]) -> None:
    receipts = trial.hosts["vault"].sudo("/usr/local/sbin/steward-vault", "receipts").json["receipts"]
    arrived = {each["snapshot"]: each["repository"] for each in receipts}

    assert stored["content"]["error"] is None
    assert stored["dumps"]["error"] is None
    assert stored["content"]["files"] == 31  # 30 of the manual, and the manifest
    assert arrived[stored["content"]["snapshot"]] == trial.hosts["web"].incarnation
    assert arrived[stored["dumps"]["snapshot"]] == trial.hosts["db"].incarnation


def test_a_restored_path_is_the_same_file_by_file(trial: Any, stored: dict[str, Any]) -> None:
    answer = trial.hosts["web"].sudo(BACKUP, "restore", "--plan", "content", "--run", "drill-1")

    assert answer.code == 0, answer.out
    assert (answer.json["files_compared"], answer.json["files_different"]) == (30, [])
    assert answer.json["snapshot"] == stored["content"]["snapshot"]
    assert trial.hosts["web"].sudo("ls", "/var/lib/steward/restore").out == ""


def test_a_restored_database_is_the_same_table_by_table(trial: Any, stored: dict[str, Any]) -> None:
    db = trial.hosts["db"]

    answer = db.sudo(BACKUP, "restore", "--plan", "dumps", "--run", "drill-2")

    assert answer.code == 0, answer.out
    assert (answer.json["tables_compared"], answer.json["tables_different"]) == (9, [])
    listed = db.sudo(*PSQL, "'select datname from pg_database order by 1'", "postgres").out.split()
    assert listed == ["codes", "postgres", "shop", "template0", "template1"]


def test_one_database_can_be_restored_alone(trial: Any, stored: dict[str, Any]) -> None:
    answer = trial.hosts["db"].sudo(
        BACKUP, "restore", "--plan", "dumps", "--database", "codes", "--run", "drill-3"
    )

    assert answer.json["tables_compared"] == 5
    assert answer.json["target"].startswith("steward_restore_")


def test_a_tampered_manifest_or_file_is_told(trial: Any, stored: dict[str, Any]) -> None:
    """A second snapshot under the plan's tags, whose manifest and content do not agree."""
    web = trial.hosts["web"]
    script = """
set -e
python3 - <<'PY'
import json, pathlib, sys
sys.path.insert(0, "/usr/local/lib/steward")
from steward_backup import backup, restic, settings
plan, repository = settings.plan("content"), settings.repository()
with backup.staged(plan) as staging:
    backup.write_manifest(plan, "forged", {})
    path = staging / "manifest.json"
    content = json.loads(path.read_text())
    content["files"]["/var/www/debian-reference/ch01.en.html"]["sha256"] = "0" * 64
    content["files"]["/var/www/debian-reference/gone.html"] = {"size": 1, "mode": 420, "sha256": "0" * 64}
    del content["files"]["/var/www/debian-reference/ch02.en.html"]
    path.write_text(json.dumps(content))
    print(restic.backup(repository, plan, "forged")["snapshot_id"])
PY
"""
    forged = web.root(script).out.strip()

    answer = web.sudo(BACKUP, "restore", "--plan", "content", "--snapshot", forged, "--run", "drill-4")

    names = ["ch01.en.html", "ch02.en.html", "gone.html"]
    assert answer.code == 1
    assert answer.json["files_different"] == [f"/var/www/debian-reference/{name}" for name in names]
    earlier = stored["content"]["snapshot"]
    again = web.sudo(BACKUP, "restore", "--plan", "content", "--snapshot", earlier, "--run", "drill-5")
    assert again.json["ok"] is True


@pytest.mark.parametrize("harm", ["rm $f", 'sed -i \'s/"snapshot": "[0-9a-f]*"/"snapshot": "\'$a\'"/\' $f'])
def test_a_restore_without_a_true_record_asks_the_repository(
    trial: Any, stored: dict[str, Any], harm: str
) -> None:
    """The host's record of its last good run is gone, or names a snapshot that is not there."""
    db = trial.hosts["db"]
    folder = "/var/lib/steward/backup/dumps"
    assert db.root(f"set -e; a={'a' * 64} f={folder}/last-good.json; cp $f {folder}/kept; {harm}").code == 0
    try:
        answer = db.sudo(BACKUP, "restore", "--plan", "dumps", "--run", "drill-8")
    finally:
        db.sudo("mv", f"{folder}/kept", f"{folder}/last-good.json")

    assert answer.json["ok"] is True, answer.out
    assert answer.json["snapshot"] == stored["dumps"]["snapshot"]


def test_a_target_with_content_is_never_written_over(trial: Any, stored: dict[str, Any]) -> None:
    web = trial.hosts["web"]

    refused = web.sudo(BACKUP, "restore", "--plan", "content", "--target", "/var/www", "--run", "drill-6")
    made = web.sudo(
        BACKUP, "restore", "--plan", "content", "--target", "/tmp/back", "--run", "drill-7",
        "--snapshot", stored["content"]["snapshot"],
    )  # fmt: skip

    assert "new or empty folder" in refused.json["error"]
    assert made.json["ok"] is True
    live = "/var/www/debian-reference/ch01.en.html"
    assert web.sudo("cmp", f"/tmp/back{live}", live).code == 0
    web.sudo("rm", "-r", "/tmp/back")


def test_a_missing_path_is_a_failure_without_a_snapshot(trial: Any, stored: dict[str, Any]) -> None:
    web = trial.hosts["web"]
    before = snapshots(web)
    web.sudo("mv", "/var/www/debian-reference", "/var/www-away")
    web.root("""sed -i 's#"/var/www"#"/var/www/debian-reference"#' /etc/steward/backup/plans/content.json""")
    try:
        document = back_up(web, "content", "no-path")
    finally:
        web.sudo("mv", "/var/www-away", "/var/www/debian-reference")
        trial.converge("backup", limit="web")

    assert document["ok"] is False
    assert "'/var/www/debian-reference' does not exist" in document["error"]
    assert document["snapshot"] is None
    assert snapshots(web) == before
    status = web.sudo(BACKUP, "status").json["plans"][0]
    assert (status["last"]["run"], status["last_good"]["ok"]) == ("no-path", True)


@pytest.mark.parametrize(
    ("harm", "repair"),
    [
        ("alter database codes allow_connections false", "alter database codes allow_connections true"),
        ("alter database codes rename to away", "alter database away rename to codes"),
    ],
)
def test_a_database_that_cannot_be_dumped_is_a_failure(
    trial: Any, stored: dict[str, Any], harm: str, repair: str
) -> None:
    db = trial.hosts["db"]
    before = snapshots(db)
    assert db.sudo(*PSQL, f"'{harm}'", "postgres").code == 0
    try:
        document = back_up(db, "dumps", "dead-dump")
    finally:
        db.sudo(*PSQL, f"'{repair}'", "postgres")

    assert document["ok"] is False
    assert "database codes" in document["error"]
    assert snapshots(db) == before
    assert db.sudo("ls", "/var/lib/steward/backup/dumps/staging").code != 0


def test_a_dump_that_dies_half_way_is_a_failure(trial: Any, stored: dict[str, Any]) -> None:
    """A page of a table is damaged on disk: pg_dump begins and then breaks."""
    db = trial.hosts["db"]
    script = """
set -e
rows='select g, repeat(g::text, 50) from generate_series(1, 5000) g'
psql -U postgres -qc "create table broken as $rows" codes
f=/var/lib/postgresql/15/main/$(psql -U postgres -Atc "select pg_relation_filepath('broken')" codes)
systemctl stop postgresql@15-main
dd if=/dev/zero of=$f bs=1 seek=$((8192 * 20 + 12)) count=4 conv=notrunc status=none
printf '\\377\\377\\377\\377' | dd of=$f bs=1 seek=$((8192 * 20 + 14)) conv=notrunc status=none
systemctl start postgresql@15-main
"""
    assert db.root(script).code == 0
    try:
        document = back_up(db, "dumps", "broken-page")
    finally:
        db.sudo(*PSQL, "'drop table broken'", "codes")

    assert document["ok"] is False
    assert "database codes" in document["error"]
    assert document["snapshot"] is None


def test_a_second_run_of_the_same_plan_is_refused(trial: Any, stored: dict[str, Any]) -> None:
    script = f"flock /var/lib/steward/backup/content/lock {BACKUP} run --plan content --run twice"

    answer = trial.hosts["web"].root(script)

    assert answer.code == 1
    assert "running already" in answer.err


def test_a_stopped_run_leaves_no_child_and_no_staging(trial: Any, stored: dict[str, Any]) -> None:
    db = trial.hosts["db"]
    script = f"""
psql -U postgres -qc 'begin; lock table countries; select pg_sleep(30)' codes >/dev/null 2>&1 &
locker=$!
{BACKUP} run --plan dumps --run stopped > /tmp/stopped.json &
run=$!
for n in $(seq 200); do pgrep -x pg_dump > /dev/null && break; sleep 0.05; done
kill -TERM $run; wait $run; echo code $?
pgrep -x 'pg_dump|restic' ; ls -A /var/lib/steward/backup/dumps/staging
kill $locker
where="from pg_stat_activity where query like 'begin; lock%'"
psql -U postgres -qAtc "select pg_terminate_backend(pid) $where" codes > /dev/null
cat /tmp/stopped.json
"""
    answer = db.root(script)

    lines = answer.out.splitlines()
    assert lines[0] == "code 1"
    assert "stopped by SIGTERM" in lines[-1]
    assert len(lines) == 2, lines


def test_timers_are_persistent_with_a_fixed_delay(trial: Any, stored: dict[str, Any]) -> None:
    web = trial.hosts["web"]
    shown = web.sudo("systemctl", "cat", "steward-backup@content.timer").out
    status = web.sudo(BACKUP, "status").json["plans"][0]

    assert {"Persistent=true", "FixedRandomDelay=true", "RandomizedDelaySec=600"} <= set(shown.splitlines())
    assert status["timer"]["enabled"] is True
    assert status["timer"]["next_at"] is not None


def test_the_unit_runs_the_same_backup(trial: Any, stored: dict[str, Any]) -> None:
    web = trial.hosts["web"]

    assert web.sudo("systemctl", "start", "steward-backup@content.service").code == 0

    last = web.sudo(BACKUP, "status").json["plans"][0]["last"]
    assert last["ok"] is True
    assert last["run"].startswith("timer-")


def test_no_secret_is_readable_or_stands_in_an_argument(trial: Any, stored: dict[str, Any]) -> None:
    web = trial.hosts["web"]
    repository = trial.variables["web"]["backup_repository"]

    assert web.root("find /etc/steward/backup -type f -printf '%U%m\n' | sort -u").out.strip() == "0600"
    for secret in (repository["password"], repository["http_password"]):
        assert (
            web.root(f"grep -rlF {secret} /etc /usr/local /var/lib/steward /var/log 2>/dev/null").out.count(
                "\n"
            )
            == 1
        )
