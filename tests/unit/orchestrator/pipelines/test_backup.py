"""The backup verbs: what they ask, and what they refuse before any host is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.backups.documents import Snapshot
from orchestrator.errors import InputError, ToolError
from orchestrator.phases.report_rows import restore_row
from orchestrator.phases.restore import RestoreRequest
from orchestrator.pipelines.backup import accept_steps, list_steps, restore_steps, run_steps, status_steps
from orchestrator.pipelines.step import Steps
from orchestrator.reporting.model import Verdict
from orchestrator.results import RunResults
from stacks.outputs import PlanOutput
from tests.fakes import NOON
from tests.unit.orchestrator.bench import Bench, not_ready


def test_backup_run_takes_what_is_not_due_and_status_takes_nothing(bench: Bench) -> None:
    bench.execute(run_steps, (), ())
    bench.execute(run_steps, ("web-1",), ("site",))
    assert bench.backed_up == ["db-1", "web-1", "web-1", "web-2"]
    bench.results = RunResults()
    bench.execute(status_steps, (), ())
    assert len(bench.backed_up) == 4
    assert {row.verdict for row in bench.results.backups} == {Verdict.PASS}


@pytest.mark.parametrize("build", [run_steps, status_steps])
def test_a_plan_that_the_fleet_does_not_have_is_refused_before_any_host_is_asked(
    bench: Bench, build: Callable[..., Steps]
) -> None:
    problem = bench.execute(build, (), ("sites",))
    assert isinstance(problem, InputError)
    assert "Did you mean 'site'" in str(problem)
    assert bench.steps == []


def test_snapshots_are_listed_by_server(bench: Bench) -> None:
    row = {"id": "5a" * 32, "time": NOON.isoformat(), "plan": "databases"}
    bench.shell.script["steward-backup list"] = json.dumps(
        {"schema": "steward.backup-list/1", "snapshots": [row]}
    )
    found: dict[str, list[object]] = {}
    assert bench.execute(list_steps, ("db-1",), (), found) is None
    assert list(found) == ["db-1"]
    assert any("steward-backup list --plan databases" in line for line in bench.shell.asked)


RESTORE = RestoreRequest(
    server="db-1", plan="databases", snapshot="latest", target=None, database=None, run="RUN"
)


def test_a_restore_that_differs_is_a_result(bench: Bench) -> None:
    answer = {
        "schema": "steward.backup-restore/1",
        "plan": "databases",
        "ok": False,
        "tables_different": ["shop.t"],
    }
    bench.shell.script["steward-backup restore"] = json.dumps(answer)
    assert bench.execute(restore_steps, RESTORE) is None
    assert bench.results.restored is not None
    assert not bench.results.restored.ok
    assert bench.results.steps[-1].message == "different"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"server": "db-9"}, "no server named 'db-9'.*Did you mean 'db-1'"),
        ({"server": "db"}, "'db' is a group of servers, not one.*Say: --host db-1"),
        ({"plan": "site"}, "no backup plan named 'site'; known: databases"),
        ({"database": "shopp"}, "no database named 'shopp'.*Did you mean 'shop'"),
    ],
)
def test_a_restore_of_what_is_not_there_is_refused(bench: Bench, changed: dict[str, str], text: str) -> None:
    problem = bench.execute(restore_steps, RESTORE.model_copy(update=changed))
    assert isinstance(problem, InputError)
    assert re.search(text, str(problem)), problem
    assert bench.steps == []


@pytest.mark.parametrize("asked", [{"snapshot": "0" * 64}, {"target": "/srv/full"}])
def test_a_restore_that_never_began_for_what_was_asked_is_no_word_on_the_backups(
    bench: Bench, asked: dict[str, str]
) -> None:
    answer = {"schema": "steward.backup-restore/1", "plan": "databases", "ok": False, "error": "none match"}
    bench.shell.script["steward-backup restore"] = json.dumps(answer)
    problem = bench.execute(restore_steps, RESTORE.model_copy(update=asked))
    assert isinstance(problem, InputError)
    assert "databases/db-1: nothing was restored: none match" in str(problem)
    assert bench.results.restored is None


def test_the_latest_snapshot_that_cannot_be_brought_back_is_a_finding(bench: Bench) -> None:
    answer = {"schema": "steward.backup-restore/1", "plan": "databases", "ok": False, "error": "no snapshot"}
    bench.shell.script["steward-backup restore"] = json.dumps(answer)
    assert bench.execute(restore_steps, RESTORE) is None
    assert bench.results.restored is not None
    assert not bench.results.restored.ok


def test_a_restore_on_a_server_that_is_not_ready_is_no_success(bench: Bench) -> None:
    not_ready(bench, "db-1")
    problem = bench.execute(restore_steps, RESTORE)
    assert bench.results.restored is None
    assert isinstance(problem, ToolError)
    assert re.search(r"db-1 is not ready \(.+\): .*SSH failed", str(problem)), problem


def test_a_server_that_is_down_is_named_and_the_others_are_listed(bench: Bench) -> None:
    not_ready(bench, "db-1")
    bench.shell.script["steward-backup list"] = '{"schema": "steward.backup-list/1", "snapshots": []}'
    found: dict[str, list[object]] = {}
    problem = bench.execute(list_steps, (), (), found)
    assert isinstance(problem, ToolError)
    assert "db-1 is not ready" in str(problem)
    assert list(found) == ["web-1", "web-2"]


@pytest.mark.parametrize("build", [run_steps, status_steps])
def test_no_verdict_over_a_server_that_is_down_is_no_success(
    bench: Bench, build: Callable[..., Steps]
) -> None:
    not_ready(bench, "db-1")
    problem = bench.execute(build, (), ())
    assert isinstance(problem, ToolError)
    assert "db-1 is not ready" in str(problem)
    assert {row.server for row in bench.results.backups} == {"web-1", "web-2"}


def test_a_server_that_is_down_and_has_no_such_plan_is_nobodys_concern(bench: Bench) -> None:
    not_ready(bench, "db-1")
    assert bench.execute(status_steps, (), ("site",)) is None
    assert isinstance(bench.execute(status_steps, ("db-1",), ("site",)), ToolError)


def test_status_holds_the_vaults_times_against_what_was_seen_first(bench: Bench) -> None:
    bench.execute(run_steps, (), ())
    for key, receipt in bench.ledger.receipts.items():
        bench.ledger.receipts[key] = replace(receipt, arrived_at=NOON - timedelta(minutes=30))
    bench.execute(status_steps, (), ())
    assert {row.verdict for row in bench.results.backups} == {Verdict.UNKNOWN}


def test_status_tells_plans_apart_by_their_ids(bench: Bench) -> None:
    bench.execute(run_steps, (), ())
    plans = [PlanOutput(name=name, id="ee" * 16) for name in ("site", "databases")]
    bench.provisioner.made = bench.provisioner.made.model_copy(update={"plans": plans})
    bench.execute(status_steps, (), ())
    assert {row.verdict for row in bench.results.backups} == {Verdict.FAIL}


OLD = "0d" * 16


def left_by_a_predecessor(bench: Bench) -> None:
    """An earlier db-1 wrote two snapshots; the present one has a good backup of its own."""
    keys, now = bench.adapters.credentials("vault"), bench.adapters.clock.now()
    keys.create(OLD, "db-1", "acme-demo", now)
    for each in ("a", "b"):
        bench.store.arrive(OLD, each * 64)
    bench.store.lying[OLD] = [
        Snapshot(id=each * 64, time=now, plan="databases", tags=["plan-id=" + "7" * 32])
        for each in ("a", "b")
    ]


def restores(bench: Bench, snapshot: str) -> None:
    """What the host answers to a restore: this snapshot, and all is the same."""
    answer = {"schema": "steward.backup-restore/1", "plan": "databases", "ok": True, "snapshot": snapshot}
    bench.shell.script["steward-backup restore"] = json.dumps({**answer, "tables_compared": 3})


def test_no_backup_of_a_server_that_began_empty_is_good_until_it_is_accepted(bench: Bench) -> None:
    left_by_a_predecessor(bench)
    assert bench.execute(run_steps, ("db-1",), ()) is None
    (row,) = bench.results.backups
    assert row.verdict is Verdict.FAIL
    assert row.taken_in_this_run  # it is backed up all the same
    assert row.unrestored is not None
    assert row.unrestored.snapshots == 2
    assert bench.execute(accept_steps, ("db-1",), ()) is None
    assert bench.execute(status_steps, ("db-1",), ()) is None
    assert [each.verdict for each in bench.results.backups] == [Verdict.PASS]


def test_snapshots_of_predecessors_are_listed_with_the_servers_own(bench: Bench) -> None:
    left_by_a_predecessor(bench)
    bench.shell.script["steward-backup list"] = json.dumps(
        {
            "schema": "steward.backup-list/1",
            "snapshots": [{"id": "5a" * 32, "time": NOON.isoformat(), "plan": "databases", "earlier": True}],
        }
    )
    found: dict[str, list[Snapshot]] = {}
    assert bench.execute(list_steps, ("db-1",), (), found) is None
    assert {(each.id[0], each.earlier, each.repository[:2]) for each in found["db-1"]} == {
        ("5", False, "64"), ("a", True, "0d"), ("b", True, "0d"),
    }  # fmt: skip


def test_a_predecessors_snapshot_is_restored_by_a_loan_that_ends(bench: Bench) -> None:
    left_by_a_predecessor(bench)
    restores(bench, "b" * 64)
    assert bench.execute(restore_steps, RESTORE) is None  # the latest is the predecessor's newest
    (line,) = [each for each in bench.shell.asked if "steward-backup restore" in each]
    assert f"--snapshot {'b' * 64}" in line
    assert line.endswith("--lent")
    (given,) = (json.loads(each) for each in bench.shell.fed)
    assert given["plan_id"] == "7" * 32  # the plan that was made anew has another
    for secret in (given["password"], given["http_password"]):
        assert secret not in " ".join(bench.shell.asked)
    assert bench.store.loans == ["lend 0d0d", "expel 0d0d"]
    row = restore_row(bench.adapters.target.loaded.fleet, bench.results)
    assert row is not None
    assert (row.repository, row.predecessor) == (OLD, True)


def test_a_servers_own_snapshot_is_restored_without_a_loan(bench: Bench) -> None:
    left_by_a_predecessor(bench)
    restores(bench, "5a" * 32)
    assert bench.execute(restore_steps, RESTORE.model_copy(update={"snapshot": "5a" * 32})) is None
    assert bench.store.loans == []
    assert bench.shell.fed == []


def test_a_predecessor_that_nobody_can_read_keeps_no_server_from_its_own_snapshots(bench: Bench) -> None:
    left_by_a_predecessor(bench)
    bench.store.broken = "the repository's snapshots cannot be read"
    restores(bench, "5a" * 32)
    bench.shell.script["steward-backup list"] = '{"schema": "steward.backup-list/1", "snapshots": []}'
    assert bench.execute(restore_steps, RESTORE) is None
    assert bench.execute(list_steps, (), (), {}) is None
    assert bench.execute(run_steps, ("db-1",), ()) is None
    assert bench.results.backups[0].verdict is Verdict.UNKNOWN
