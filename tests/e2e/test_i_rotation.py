"""Credentials change while they are in use: nobody is refused, a killed rotation is finished, the old ones are dead."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.provisioning.credentials import admin_key, places_in_use
from tests.e2e.conftest import Demo
from tests.e2e.world import container_of, killed, on_host

pytestmark = [pytest.mark.real, pytest.mark.e2e]


@contextmanager
def meanwhile(act: Callable[[], str], pause: float = 0.5) -> Iterator[list[str]]:
    """Does `act` until the block ends, with a pause (seconds); yields what went wrong so far, '' where nothing did."""
    told: list[str] = []
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(pause):
            told.append(act())

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()


def log_in(demo: Demo, server: str, key: Path | None = None) -> str:
    """A new connection as a person opens one; '' when it was let in."""
    folder = demo.world.home / "keys" / "e2e-shop" / "ssh"
    config = folder / "config"
    if key:  # the configuration names the key in use, which would be tried too
        lines = config.read_text().splitlines()
        config = key.with_suffix(".config")
        alone = (f"  IdentityFile {key}" if "IdentityFile" in line else line for line in lines)
        config.write_text("\n".join(alone))
    done = subprocess.run(
        ["ssh", "-F", str(config), server, "true"], capture_output=True, text=True, check=False, timeout=60
    )
    return "" if done.returncode == 0 else done.stderr


def states(demo: Demo, kind: str) -> list[str]:
    with sqlite3.connect(demo.world.home / "steward.db") as connection:
        rows = connection.execute("SELECT state FROM rotations WHERE kind = ? ORDER BY number", [kind])
        return [row[0] for row in rows]


def test_a_new_admin_key_refuses_nobody_and_the_old_one_is_dead(demo: Demo, tmp_path: Path) -> None:
    keys = demo.world.home / "keys" / "e2e-shop"
    old, before = tmp_path / "old", admin_key(keys).private
    shutil.copy(before, old)
    with meanwhile(lambda: log_in(demo, "web-1"), 0.1) as told:
        done = demo.world.steward("rotate", "ssh", "--fleet", demo.shop)
    assert done.code == 0, done.all
    assert len(told) > 5
    assert [text for text in told if text] == []
    after = admin_key(keys).private
    assert after.read_text() != old.read_text()
    assert not before.exists()
    assert sorted(path.name for path in after.parent.glob("id_*")) == [after.name, f"{after.name}.pub"]
    for server in ("web-1", "web-2", "db-1"):
        assert "Permission denied" in log_in(demo, server, old)
        container = container_of(demo.shop, server)
        assert len(on_host(container, "cat", "/home/steward/.ssh/authorized_keys").splitlines()) == 1
    assert states(demo, "ssh") == ["begun", "switched", "finished"]
    assert demo.world.report("up", "--fleet", demo.shop)["changes"] == []  # the state knows the new key


@pytest.mark.parametrize("state", ["coming", "retiring"])
def test_a_killed_rotation_of_the_key_is_finished_by_the_next(demo: Demo, state: str) -> None:
    keys = demo.world.home / "keys" / "e2e-shop"
    path = admin_key(keys).places[1 if state == "coming" else 0]
    killed(
        demo.world.start("rotate", "ssh", "--fleet", demo.shop),
        path.exists if state == "coming" else lambda: len(places_in_use(keys)) == 2,
    )
    assert log_in(demo, "db-1") == ""
    done = demo.world.steward("rotate", "ssh", "--fleet", demo.shop)
    assert done.code == 0, done.all
    assert states(demo, "ssh")[-1] == "finished"
    assert len(places_in_use(keys)) == 1
    assert [place.exists() for place in admin_key(keys).places] == [True, False]
    assert log_in(demo, "db-1") == ""


def test_new_host_keys_refuse_nobody_and_the_old_ones_are_no_longer_known(demo: Demo) -> None:
    folder = demo.world.home / "keys" / "e2e-shop" / "ssh"
    container = container_of(demo.shop, "web-1")
    before = on_host(container, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    with meanwhile(lambda: log_in(demo, "web-1"), 0.1) as told:
        words = ("rotate", "host-keys", "--fleet", demo.shop, "--host", "web-1")
        running = demo.world.start(*words[:2], "--host", "web-1", "--fleet", demo.shop)
        killed(running, (folder / "host-keys.coming").exists)
        done = demo.world.steward(*words)
    assert done.code == 0, done.all
    assert len(told) > 5
    assert [text for text in told if text] == []
    after = on_host(container, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert after != before
    known = (folder / "known_hosts").read_text()
    assert after in known
    assert before not in known
    assert on_host(container, "sh", "-c", "ls /etc/ssh/ssh_host_*").split() == [
        "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub",
    ]  # fmt: skip
    assert "steward_pause" not in on_host(container, "nft", "list", "tables")
    assert states(demo, "host-key")[-3:] == ["begun", "switched", "finished"]
    up = demo.world.report("up", "--fleet", demo.shop)
    assert up["changes"] == []
    assert all(host["unchanged_since"] for host in up["hosts"])
    assert log_in(demo, "web-1") == ""


def back_up(container: str) -> str:
    """One backup as a timer takes it; '' when it ended well."""
    said = on_host(container, "/usr/local/sbin/steward-backup", "run", "--plan", "site", check=False)
    document = json.loads(said or "{}")
    return "" if document.get("ok") else str(document.get("error") or said)


def test_new_repository_passwords_fail_no_backup_and_the_old_ones_are_dead(demo: Demo) -> None:
    web = container_of(demo.shop, "web-1")
    old = json.loads(on_host(web, "cat", "/etc/steward/backup/repository.json"))
    old_password = on_host(web, "cat", "/etc/steward/backup/repository.password")
    assert back_up(web) == ""
    with meanwhile(lambda: back_up(web)) as told:
        done = demo.world.steward("rotate", "repository", "--fleet", demo.shop)
    assert done.code == 0, done.all
    assert len(told) >= 2
    assert [text for text in told if text] == []
    assert back_up(web) == ""
    new = json.loads(on_host(web, "cat", "/etc/steward/backup/repository.json"))
    assert new["url"] != old["url"]
    assert on_host(web, "cat", "/etc/steward/backup/repository.password") != old_password
    assert asked(web, old) == "401"
    assert asked(web, new) == "200"
    assert "wrong password" in with_password(web, new, old_password)
    snapshots = json.loads(on_host(web, "/usr/local/sbin/steward-backup", "list"))["snapshots"]
    assert len(snapshots) >= 3  # those from before are still there
    assert states(demo, "repository").count("finished") == 3
    settled = demo.world.report("up", "--fleet", demo.shop)
    assert settled["changes"] == []
    assert all(host["unchanged_since"] for host in settled["hosts"])
    restored = demo.world.steward(
        "backup", "restore", "--fleet", demo.shop, "--host", "web-1", "--plan", "site"
    )
    assert restored.code == 0, restored.all


@pytest.mark.parametrize("left", ["coming", "retiring"])
def test_a_killed_rotation_of_a_repository_is_finished_by_the_next(demo: Demo, left: str) -> None:
    keys = demo.world.home / "keys" / "e2e-vault"
    web = container_of(demo.shop, "web-2")
    repository = json.loads(on_host(web, "cat", "/etc/steward/backup/repository.json"))["incarnation"]
    path = keys / left / "repositories" / f"{repository}.json"
    killed(demo.world.start("rotate", "repository", "--host", "web-2", "--fleet", demo.shop), path.exists)
    assert back_up(web) == ""
    done = demo.world.steward("rotate", "repository", "--fleet", demo.shop, "--host", "web-2")
    assert done.code == 0, done.all
    assert not path.exists()
    assert back_up(web) == ""
    assert states(demo, "repository")[-1] == "finished"


ASK = """
import base64, json, ssl, sys, urllib.error, urllib.request
r = json.load(sys.stdin)
context = ssl.create_default_context(cafile="/etc/steward/backup/vault.crt")
word = base64.b64encode((r["user"] + ":" + r["http_password"]).encode()).decode()
request = urllib.request.Request(r["url"] + "config", headers={"Authorization": "Basic " + word})
try:
    print(urllib.request.urlopen(request, context=context, timeout=10).status)
except urllib.error.HTTPError as problem:
    print(problem.code)
"""


def asked(container: str, repository: dict[str, Any]) -> str:
    """The status with which the vault answers these credentials."""
    script = f"import io, sys; sys.stdin = io.StringIO({json.dumps(repository)!r})\n{ASK}"
    return on_host(container, "python3", "-c", script).strip()


def with_password(container: str, repository: dict[str, Any], password: str) -> str:
    """What restic says of another password with credentials that the vault knows."""
    settings = {
        "RESTIC_REPOSITORY": f"rest:{repository['url']}", "RESTIC_PASSWORD": password.strip(),
        "RESTIC_CACERT": "/etc/steward/backup/vault.crt", "RESTIC_REST_USERNAME": repository["user"],
        "RESTIC_REST_PASSWORD": repository["http_password"],
    }  # fmt: skip
    words = ["env", *(f"{key}={value}" for key, value in settings.items())]
    restic = ["/usr/local/lib/steward/restic", "snapshots", "--no-lock", "--no-cache"]
    done = subprocess.run(
        ["podman", "exec", container, *words, *restic],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    return done.stderr
