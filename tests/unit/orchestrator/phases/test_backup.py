"""What is due is taken, and judged by what the vault then has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.errors import StoppedError, ToolError
from orchestrator.phases.backup import BackupRequest, BackupsFound, backup, look
from orchestrator.process import CommandResult
from orchestrator.reporting.model import Verdict
from stacks.outputs import PlanOutput, ServerOutput
from tests.fakes import NOON, Answer, FakeShell, FakeStore, FixedClock, MemoryLedger, result
from tests.unit.orchestrator.samples import backup_run, backup_status, fleet, outputs, server

WEB, DB = server("web-1"), server("db-1")
PLANS = {"web-1": "site", "db-1": "databases"}


class Hosts:
    """Hosts that take backups into a vault, as the real ones do."""

    def __init__(self, **behaviour: Any) -> None:
        self.clock = FixedClock()
        self.store = FakeStore(self.clock)
        self.good: dict[str, dict[str, Any]] = {}
        self.last: dict[str, dict[str, Any]] = {}
        self.behaviour = behaviour
        self.shell = FakeShell({"steward-backup status": self.status, "steward-backup run": self.take})
        self.said: list[str] = []

    def status(self, server: ServerOutput, _argv: Sequence[str]) -> Answer:
        if self.behaviour.get(server.name) == "silent":
            return ToolError(server.name, "SSH failed")
        return backup_status((PLANS[server.name], self.last.get(server.name), self.good.get(server.name)))

    def take(self, server: ServerOutput, argv: Sequence[str]) -> Answer:
        kind = self.behaviour.get(server.name)
        if isinstance(kind, Exception):
            return kind
        snapshot = f"{len(self.store.arrived) + 1:064x}"
        run = backup_run(argv[argv.index("--plan") + 1], self.clock.now(), snapshot=snapshot, run=argv[-1])
        if isinstance(kind, CommandResult):
            return kind
        if kind == "forges" and self.good:
            return json.dumps(run)
        if kind == "fails":
            run |= {"ok": False, "snapshot": None, "error": "disk full"}
        else:
            self.good[server.name] = run
            if kind != "forges":
                self.store.arrive(server.incarnation, snapshot)
        self.last[server.name] = run
        return json.dumps(run)

    def backup(self, *servers: ServerOutput, **options: Any) -> BackupsFound:
        request = BackupRequest(fleet(), servers or (WEB, DB), "RUN", **options)
        return backup(request, self.shell, lambda _: self.store, self.clock, self.said.append)

    @property
    def taken(self) -> list[str]:
        return [line.split(":")[0] for line in self.shell.asked if "steward-backup run" in line]


def verdicts(found: BackupsFound) -> dict[str, Verdict]:
    return {row.server: row.verdict for row in found.rows}


def test_a_first_run_takes_all_and_a_second_none() -> None:
    hosts = Hosts()
    first = hosts.backup()
    assert verdicts(first) == {"web-1": Verdict.PASS, "db-1": Verdict.PASS}
    assert all(row.taken_in_this_run for row in first.rows)
    assert len(first.receipts) == 2
    hosts.backup()
    assert len(hosts.taken) == 2


def test_only_what_is_older_than_its_rpo_is_due() -> None:
    hosts = Hosts()
    hosts.backup()
    hosts.clock.move(timedelta(hours=3))
    hosts.backup()
    assert sorted(hosts.taken) == ["db-1", "db-1", "web-1"]


def test_whoever_asks_for_it_gets_one_that_is_not_due() -> None:
    hosts = Hosts()
    hosts.backup()
    hosts.backup(only_due=False, plans=["site"])
    assert sorted(hosts.taken) == ["db-1", "web-1", "web-1"]


def test_a_failed_backup_is_a_row_and_keeps_nobody() -> None:
    hosts = Hosts(**{"web-1": "fails"})
    found = hosts.backup()
    assert verdicts(found) == {"web-1": Verdict.FAIL, "db-1": Verdict.PASS}
    assert found.rows[0].message == "the backup of this run: failed: disk full"
    assert "site/web-1: failed: disk full" in hosts.said


def test_a_host_that_says_it_has_one_is_not_believed() -> None:
    found = Hosts(**{"web-1": "forges"}).backup()
    assert verdicts(found) == {"web-1": Verdict.FAIL, "db-1": Verdict.PASS}


def test_a_lost_connection_is_told() -> None:
    hosts = Hosts(**{"web-1": ToolError("web-1", "connection lost")})
    assert verdicts(hosts.backup())["web-1"] is Verdict.FAIL
    assert "site/web-1: web-1: connection lost." in hosts.said


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("fails", "the backup of this run: failed: disk full"),
        (ToolError("web-1", "connection lost"), "the backup of this run: web-1: connection lost."),
        (result(code=1, stderr="it runs already"), "the backup of this run: web-1: it runs already."),
        (result(code=255), "the backup of this run: web-1: steward-backup ended with exit code 255."),
        ("forges", "the host reports a snapshot that the vault never saw arrive"),
    ],
)
def test_a_younger_snapshot_does_not_hide_that_the_backup_asked_for_failed(kind: Any, message: str) -> None:
    hosts = Hosts()
    hosts.backup()
    hosts.behaviour["web-1"] = kind
    found = hosts.backup(only_due=False)
    assert verdicts(found) == {"web-1": Verdict.FAIL, "db-1": Verdict.PASS}
    assert found.rows[0].message == message
    assert found.rows[0].age_seconds == 0
    assert verdicts(hosts.backup()) == {"web-1": Verdict.PASS, "db-1": Verdict.PASS}


@pytest.mark.parametrize(("known", "wanted"), [("a1", Verdict.PASS), ("ff", Verdict.FAIL)])
def test_a_plan_that_was_removed_and_made_again_inherits_nothing(known: str, wanted: Verdict) -> None:
    hosts = Hosts()
    hosts.backup(WEB)
    made = outputs().model_copy(update={"plans": [PlanOutput(name="site", id=known * 16)]})
    request = BackupRequest(fleet(), [WEB], "RUN", outputs=made)
    assert verdicts(look(request, hosts.shell, lambda _: hosts.store, hosts.clock)) == {"web-1": wanted}


def test_a_vault_cannot_make_a_snapshot_younger() -> None:
    hosts, ledger = Hosts(), MemoryLedger()
    ledger.record_receipts("acme-demo", "RUN", hosts.backup(DB).receipts)
    hosts.clock.move(timedelta(hours=1))
    old = hosts.store.arrived.pop()
    hosts.store.arrive(old.repository, old.snapshot)
    request = BackupRequest(fleet(), [DB], "RUN", first_seen=ledger.first_seen)
    row = look(request, hosts.shell, lambda _: hosts.store, hosts.clock).rows[0]
    assert (row.verdict, row.arrived_at) == (Verdict.UNKNOWN, NOON)
    assert "the vault changed the arrival time: it was 2026-11-22 12:00:00 UTC" in row.message


def test_a_silent_host_is_unknown() -> None:
    assert verdicts(Hosts(**{"db-1": "silent"}).backup())["db-1"] is Verdict.UNKNOWN


def test_a_stop_is_no_failed_backup() -> None:
    hosts = Hosts(**{"web-1": StoppedError("steward", "stopped")})
    with pytest.raises(StoppedError):
        hosts.backup()


def test_receipts_of_other_fleets_stay_theirs() -> None:
    hosts = Hosts()
    hosts.store.arrive("f" * 32, "9" * 64)
    assert {each.repository for each in hosts.backup().receipts} == {WEB.incarnation, DB.incarnation}


def test_looking_takes_nothing() -> None:
    hosts = Hosts()
    request = BackupRequest(fleet(), [WEB], "RUN")
    found = look(request, hosts.shell, lambda _: hosts.store, hosts.clock)
    assert verdicts(found) == {"web-1": Verdict.FAIL}
    assert hosts.taken == []
    assert found.rows[0].rpo_seconds == timedelta(hours=26).total_seconds()
    assert hosts.clock.now() == NOON


def test_what_is_wrong_with_the_vault_stands_before_what_the_host_was_told() -> None:
    asked: list[tuple[str, str]] = []

    def cause(repository: str, said: str) -> str:
        asked.append((repository, said))
        return "vault-1: the disk that holds /srv/backup is full"

    hosts = Hosts(**{"web-1": "fails"})
    found = hosts.backup(vault_cause=cause)
    assert asked == [("vault", "failed: disk full")]
    assert found.rows[0].message == (
        "the backup of this run: vault-1: the disk that holds /srv/backup is full. "
        "The host said: failed: disk full"
    )
    assert "site/web-1: vault-1: the disk that holds /srv/backup is full" in hosts.said
