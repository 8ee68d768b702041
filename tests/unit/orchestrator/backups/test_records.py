"""Backup records say what was seen and by whom; the rules judge the document as it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.backups.documents import BackupStatus, read_document
from orchestrator.backups.records import Checked, Drill, Seen, Vault, backup_records
from orchestrator.ports.backups import Receipt
from orchestrator.reporting.seen import Restore, Unrestored
from policies.evaluate import evaluate
from policies.model import Kind, State
from policies.pack import all_rules
from policies.profiles import load_profiles
from policies.subjects.backups import backup_subjects
from stacks.outputs import ServerOutput
from tests.fakes import NOON
from tests.unit.orchestrator.samples import FLEET, SNAPSHOT, backup_run, backup_status, fleet, outputs, server

LASTING = FLEET.replace("keep: {hourly: 24}", "keep: {hourly: 24, daily: 7}")
TAGS = {"client": "acme", "environment": "demo", "owner": "platform@acme.example", "profile": "demo"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DB = server("db-1").incarnation
RULES = [rule for rule in all_rules() if rule.kind is Kind.BACKUP_RECORD]


def receipt(ago: timedelta, snapshot: str = SNAPSHOT, repository: str = DB) -> Receipt:
    return Receipt(repository, snapshot, NOON - ago, 400)


def status(*plans: str, ok: bool = True, snapshot: str | None = SNAPSHOT) -> BackupStatus:
    rows = []
    for plan in plans or ("databases",):
        run = backup_run(plan, NOON - HOUR, snapshot=snapshot)
        rows.append((plan, run | {"ok": ok, "error": None if ok else "disk full"}, run))
    return read_document(BackupStatus, backup_status(*rows), "db-1")


def looked(**changed: Any) -> Seen:
    """Everything was looked at, and all is well with db-1."""
    seen = Seen(
        NOON,
        receipts=[receipt(HOUR)],
        statuses={"db-1": status()},
        vaults={"vault": Vault("local-2", append_only=True)},
        drills=[
            Drill(
                NOON - DAY,
                Restore(
                    plan="databases",
                    server="db-1",
                    snapshot=SNAPSHOT,
                    ok=True,
                    seconds=60.5,
                    rto_seconds=3600,
                    files=0,
                    tables=4,
                ),
            )
        ],
        checks={DB: Checked(NOON - DAY, ok=True)},
        prunes={},
        escrow={DB: NOON - DAY},
        credentials={DB: NOON - DAY},
    )
    return replace(seen, **changed)


def record(seen: Seen, name: str = "db-1", servers: Sequence[ServerOutput] | None = None) -> dict[str, Any]:
    document = backup_records(fleet(), outputs().servers if servers is None else servers, seen)
    (found,) = (each for each in json.loads(json.dumps(document))["records"] if each["server"] == name)
    return dict(found)


def states(seen: Seen, name: str = "db-1") -> Mapping[str, State]:
    document = json.loads(json.dumps(backup_records(fleet(LASTING), outputs().servers, seen)))
    subjects = backup_subjects(document, stack="acme-demo", tags=TAGS, now=NOON)
    judged = [subject for subject in subjects if subject.name.endswith(name)]
    return {result.rule: result.state for result in evaluate(judged, load_profiles(), rules=RULES)}


def test_a_record_for_each_plan_and_server_of_the_fleet_file() -> None:
    document = backup_records(fleet(), (), looked())
    pairs = [(each["plan"], each["server"]) for each in document["records"]]
    assert pairs == [("site", "web-1"), ("site", "web-2"), ("databases", "db-1")]
    assert (document["schema"], document["stack"]) == ("steward.backup-records/1", "acme-demo")


def test_all_is_well_where_everything_was_looked_at() -> None:
    found = states(looked())
    assert {
        rule: state for rule, state in found.items() if state not in (State.PASS, State.NOT_APPLICABLE)
    } == {}
    assert len(found) == len(RULES)


def test_where_nobody_looked_nothing_that_must_be_seen_passes() -> None:
    found = states(Seen(NOON))
    planned = {
        *("backups.server-in-plan", "backups.frequency-is-enough", "backups.retention-is-enough"),
        *("backups.copy-is-encrypted", "backups.copy-in-another-stack"),
        "recovery.record-is-possible",  # what the record does say can be so
    }
    assert {rule for rule, state in found.items() if state is State.PASS} == planned
    assert {state for rule, state in found.items() if rule not in planned} == {State.UNKNOWN}


@pytest.mark.parametrize(
    ("changed", "rule", "state"),
    [
        ({"receipts": [receipt(3 * HOUR)]}, "recovery.point-is-recent", State.FAIL),
        ({"receipts": []}, "recovery.point-is-recent", State.FAIL),
        ({"receipts": []}, "recovery.vault-is-the-witness", State.FAIL),
        ({"receipts": None}, "recovery.vault-is-the-witness", State.UNKNOWN),
        ({"receipts": [receipt(HOUR, "bb" * 32)]}, "recovery.vault-is-the-witness", State.FAIL),
        ({"receipts": [receipt(HOUR, repository="00" * 16)]}, "recovery.point-is-recent", State.FAIL),
        ({"statuses": {"db-1": None}}, "recovery.point-is-recent", State.PASS),
        ({"statuses": {"db-1": None}}, "recovery.last-run-succeeded", State.UNKNOWN),
        ({"statuses": {"db-1": status(ok=False)}}, "recovery.last-run-succeeded", State.FAIL),
        ({"sizes": {("databases", "db-1"): [10**6] * 3}}, "recovery.size-has-not-collapsed", State.FAIL),
        ({"arrivals": [receipt(9 * DAY, "aa" * 32)]}, "recovery.rpo-was-kept", State.FAIL),
        ({"arrivals": [receipt(90 * DAY, "aa" * 32)]}, "recovery.retention-floor-holds", State.FAIL),
        (
            {"vaults": {"vault": Vault("local-1", append_only=False)}},
            "backups.deletion-is-prevented",
            State.FAIL,
        ),
        (
            {"vaults": {"vault": Vault("local-1", append_only=False)}},
            "backups.copy-in-another-region",
            State.FAIL,
        ),
        ({"drills": []}, "recovery.drill-is-recent", State.NOT_APPLICABLE),  # the first backup is of today
        (
            {"drills": [], "arrivals": [receipt(9 * DAY, "aa" * 32)]},
            "recovery.drill-is-recent",
            State.FAIL,
        ),
        ({"checks": {}}, "recovery.repository-is-checked", State.FAIL),
        ({"escrow": {}}, "recovery.escrow-key-is-proven", State.FAIL),
    ],
)
def test_what_is_wrong_is_found_by_its_rule(changed: dict[str, Any], rule: str, state: State) -> None:
    assert states(looked(**changed))[rule] is state


def test_an_arrival_that_the_vault_dates_anew_stays_as_it_was_first_seen() -> None:
    seen = looked(arrivals=[receipt(3 * HOUR)], receipts=[receipt(HOUR)])
    assert states(seen)["recovery.point-is-recent"] is State.FAIL


def test_waits_count_from_before_the_last_month_and_until_now() -> None:
    arrivals = [receipt(80 * DAY, "a1" * 32), receipt(29 * DAY, "a2" * 32), receipt(28 * DAY, "a3" * 32)]
    seen = looked(arrivals=arrivals, receipts=[])
    assert record(seen)["vault"]["longest_gap_seconds"] == (51 * DAY).total_seconds()
    seen = looked(arrivals=arrivals[1:], receipts=[])
    assert record(seen)["vault"]["longest_gap_seconds"] == (28 * DAY).total_seconds()
    assert record(seen)["vault"]["count_30_days"] == 2


def test_of_two_plans_of_one_server_the_vault_knows_only_what_the_host_names() -> None:
    text = FLEET.replace("backup: [databases]", "backup: [databases, site]")
    seen = looked(receipts=[receipt(HOUR), receipt(timedelta(0), "bb" * 32)], statuses={"db-1": status()})
    document = backup_records(fleet(text), outputs().servers, seen)
    rows = {each["plan"]: each["vault"] for each in document["records"] if each["server"] == "db-1"}
    why = {"unknown": "the vault cannot tell the plans of one server apart"}
    assert rows["databases"]["newest_arrived_at"] == (NOON - HOUR).isoformat()
    assert rows["site"]["newest_arrived_at"] == why
    assert rows["databases"]["longest_gap_seconds"] == why


def test_a_server_that_was_not_made_is_unknown_and_one_without_plan_says_whether_it_bears_data() -> None:
    assert record(looked(), servers=())["vault"] == {"unknown": "the server was not made yet"}
    for volume, bears in (("disposable: true", False), ("disposable: false", True)):
        text = FLEET.replace("    backup: [site]\n", "", 1).replace(
            "    network: app\n",
            f"    network: app\n    volumes: {{tmp: {{size_gib: 1, mount: /srv/x, {volume}}}}}\n",
            1,
        )
        if bears:
            text = text.replace("    roles: [{nginx", "    roles: [backup_vault, {nginx")
        text = text.replace(
            "    backup: [databases]",
            "    backup: [databases]\n  other: {size: small, network: app, backup: [site]}",
        )
        document = backup_records(fleet(text), (), looked())
        (found,) = (each for each in document["records"] if each["server"] == "web-1")
        assert (found["plan"], found["bears_data"]) == (None, bears)


def test_a_young_arrival_of_a_server_that_began_empty_is_no_recent_point() -> None:
    lost = {("databases", "db-1"): Unrestored(snapshots=2, newest_at=NOON - DAY, snapshot="0d" * 32)}
    found = states(looked(unrestored=lost))
    assert found["recovery.point-is-recent"] is State.UNKNOWN
    assert found["recovery.retention-floor-holds"] is State.PASS  # that is of the new repository, and holds
    assert states(looked(unrestored={("site", "web-1"): lost["databases", "db-1"]})) == states(looked())


@pytest.mark.parametrize(
    ("repository", "snapshot", "counts"),
    [
        (DB, SNAPSHOT, True),
        ("0d" * 16, SNAPSHOT, False),  # a predecessor's
        ("", SNAPSHOT, True),  # reports of before name no repository: the snapshot tells
        ("", "0d" * 32, False),
        (DB, "", True),  # it failed before it came to one
    ],
)
def test_a_drill_counts_for_the_repository_that_it_was_of(
    repository: str, snapshot: str, counts: bool
) -> None:
    (usual,) = looked().drills or ()
    told = {"repository": repository, "snapshot": snapshot}
    drill = replace(usual, restore=usual.restore.model_copy(update=told))
    assert (record(looked(drills=[drill]))["drill"] is not None) is counts
