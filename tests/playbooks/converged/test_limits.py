"""What must end soon: a backup whose vault is away or stands still, and a converge before a package lock."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.faults import made

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("playbooks")]

BACKUP = "/usr/local/sbin/steward-backup"
RUN = ("run", "--plan", "content", "--run")


def test_a_vault_whose_front_is_down_is_told_soon(trial: Any) -> None:
    trial.hosts["vault"].sudo("systemctl", "stop", "steward-vault-front")
    try:
        answer = trial.hosts["web"].sudo(BACKUP, *RUN, "no-front")
    finally:
        trial.hosts["vault"].sudo("systemctl", "start", "steward-vault-front")

    assert answer.code == 1
    assert "the vault at " in answer.json["error"]
    assert "does not answer (" in answer.json["error"]
    assert "steward up of the vault's own fleet" in answer.json["error"]
    assert answer.json["duration_seconds"] < 30
    assert trial.hosts["web"].sudo(BACKUP, *RUN, "front-is-back").json["ok"] is True


def test_a_backup_that_hangs_is_ended_recorded_and_its_lock_removed_by_the_next(trial: Any) -> None:
    """The store stands still in the middle, and so does restic, until the limit of no progress."""
    web, vault = trial.hosts["web"], trial.hosts["vault"]
    settings, records = "/etc/steward/backup/repository.json", "/var/lib/steward/backup/content"
    web.root(
        f'cp -p {settings} /root/kept; sed -i \'s/"quiet_seconds": [0-9]*/"quiet_seconds": 4/\' {settings}'
    )
    vault.sudo("systemctl", "kill", "--signal=STOP", "steward-vault-store")
    try:
        answer = web.sudo(BACKUP, *RUN, "hangs")
    finally:
        vault.sudo("systemctl", "kill", "--signal=CONT", "steward-vault-store")
        web.sudo("mv", "/root/kept", settings)

    assert answer.code == 1
    assert "restic backup: it made no progress for 4 s, so it was ended" in answer.json["error"]
    assert answer.json["duration_seconds"] < 60
    last = web.root(f"cat {records}/last.json").out
    assert '"hangs"' in last
    assert '"ok": false' in last
    assert web.root(f"ls {records}/restic-at-work; pgrep -x restic").out.splitlines() == [
        f"{records}/restic-at-work"
    ]
    assert web.sudo(BACKUP, *RUN, "after-the-hang").json["ok"] is True
    assert web.root(f"ls {records}/restic-at-work").code != 0


def test_a_converge_waits_for_the_package_lock_as_long_as_the_run_says(trial: Any) -> None:
    container = trial.hosts["web"].container
    made.needs_package(container)
    trial.variables["web"]["steward_lock_seconds"] = "3"
    began = time.monotonic()
    try:
        with made.held_lock(container):
            trial.converge("services", limit="web", must=False)
    finally:
        del trial.variables["web"]["steward_lock_seconds"]
    took, failed = time.monotonic() - began, trial.failed
    trial.converge("services", limit="web")
    assert trial.hosts["web"].sudo("dpkg", "--verify", "nginx").code == 0
    assert took < 120
    assert len(failed) == 1
    assert "Unable to acquire the dpkg frontend lock" in failed[0]
