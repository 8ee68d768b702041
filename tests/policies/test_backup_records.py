"""Backup records become subjects: what is left out is unknown, what is null never happened."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from policies.evaluate import evaluate
from policies.facts import MalformedFactError, UnknownFactError
from policies.model import Kind, State, Subject
from policies.pack import rule_by_id
from policies.profiles import load_profiles
from policies.subjects.backups import SCHEMA, backup_subjects
from policies.subjects.document import DocumentError

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
TAGS = {"client": "acme", "environment": "demo", "owner": "platform@acme.example", "profile": "demo"}


def subjects(*records: object) -> list[Subject]:
    document = json.loads(json.dumps({"schema": SCHEMA, "records": records}))
    return backup_subjects(document, stack="acme-demo", tags=TAGS, now=NOW)


def state(rule: str, record: object) -> State:
    (result,) = evaluate(subjects(record), load_profiles(), rules=[rule_by_id(rule)])
    return result.state


def test_a_record_is_named_by_plan_and_server_and_witnessed_by_the_vault() -> None:
    first, second = subjects({"plan": "site", "server": "web-1"}, {"plan": None, "server": "web-2"})
    assert (first.kind, first.type, first.urn) == (
        Kind.BACKUP_RECORD,
        "backup_record",
        "backup_record:acme-demo/site/web-1",
    )
    assert (first.witness, first.source_type) == ("vault", SCHEMA)
    assert second.urn == "backup_record:acme-demo/-/web-2"
    assert load_profiles().choose(first).name == "demo"


def test_times_become_ages() -> None:
    (record,) = subjects(
        {
            "vault": {"newest_arrived_at": "2026-11-29T12:30:00+01:00"},
            "repository": {"immutable_until": "2026-11-30T12:00:00Z"},
        }
    )
    assert record.facts.table("vault").number("newestAgeSeconds") == 1_800
    assert record.facts.table("repository").number("immutableSeconds") == 86_400


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"plan": "site", "drill": None}, State.FAIL),
        ({"plan": "site"}, State.UNKNOWN),
        ({"plan": "site", "drill": {"unknown": "the ledger was not read"}}, State.UNKNOWN),
        ({"plan": "site", "drill": {}}, State.UNKNOWN),
        ({"plan": "site", "drill": {"at": "2026-11-28T00:00:00Z"}}, State.PASS),
        ({"plan": "site", "drill": {"at": "2026-11-28T00:00:00"}}, State.ERROR),
        ({"plan": "site", "drill": {"at": 7}}, State.ERROR),
        ({"plan": "site", "drill": {"at": "9" * 4_000}}, State.ERROR),
        ({"plan": "site", "drill": "yesterday"}, State.ERROR),
        ({"plan": None}, State.NOT_APPLICABLE),
        ({}, State.UNKNOWN),
    ],
)
def test_never_unknown_and_nonsense_are_three_states(record: object, expected: State) -> None:
    assert state("recovery.drill-is-recent", record) is expected


def test_a_snapshot_of_tomorrow_is_no_recent_snapshot() -> None:
    seen = {"newest_arrived_at": "2026-11-30T12:00:00Z"}
    record = {"plan": "site", "rpo_seconds": 3_600, "vault": seen}
    assert state("recovery.point-is-recent", record) is State.UNKNOWN
    seen["newest_arrived_at"] = "2026-11-29T12:01:00Z"  # clocks that differ by a minute
    assert state("recovery.point-is-recent", record) is State.PASS


@pytest.mark.parametrize("gap", [-1, float("nan"), float("inf"), 10**400, True, "1 h"])
def test_a_measure_that_is_none_is_an_error_and_no_pass(gap: object) -> None:
    assert state("backups.frequency-is-enough", {"plan": "site", "longest_gap_seconds": gap}) is State.ERROR


def test_the_reason_why_a_value_is_unknown_is_kept() -> None:
    (record,) = subjects({"vault": {"unknown": "the vault did not\x1b[2J answer"}})
    with pytest.raises(UnknownFactError) as gap:
        record.facts.table("vault").number("newestAgeSeconds")
    assert gap.value.reason == "the vault did not\N{REPLACEMENT CHARACTER}[2J answer"
    (record,) = subjects({"rpo_seconds": "soon"})
    with pytest.raises(MalformedFactError, match="rpoSeconds: expected a number, got soon"):
        record.facts.whole("rpoSeconds")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (None, "schema: expected steward.backup-records/1, got nothing"),
        ([], "schema: expected steward.backup-records/1"),
        ({"schema": "steward.backup-records/2"}, "got steward.backup-records/2"),
        ({"schema": SCHEMA}, "records: expected a list, got nothing"),
        ({"schema": SCHEMA, "records": "abc"}, "records: expected a list, got abc"),
        ({"schema": SCHEMA, "records": [{}, 3]}, r"records\[1\]: expected a mapping, got 3"),
        ({"schema": SCHEMA, "records": [{}] * 100_001}, "100001 records; at most 100000"),
        ({"schema": SCHEMA, "records": [{"plan": "site", "server": "w"}] * 2}, "two records of site/w"),
    ],
)
def test_a_document_of_another_shape_is_refused_by_its_place(document: object, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        backup_subjects(document, stack="acme-demo", tags=TAGS, now=NOW)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"drill": {"at": "2031-01-01T00:00:00Z"}}, "drill.at"),
        ({"drill": {"restored": "2031-01-01T00:00:00Z"}}, "drill.restored"),
        ({"host": {"last_run_at": "2031-01-01T00:00:00Z"}}, "host.last_run_at"),
        ({"prune": {"at": "2031-01-01T00:00:00Z"}}, "prune.at"),
        ({"vault": {"count_7_days": 10**400}}, "vault.count_7_days"),
        ({"vault": {"count_7_days": -1}}, "vault.count_7_days"),
    ],
)
def test_what_cannot_be_so_is_told_whether_or_not_another_rule_reads_it(record: object, told: str) -> None:
    assert isinstance(record, dict)
    whole = {"plan": "site", "server": "web-1", **record}
    (subject,) = subjects(whole)
    (found,) = evaluate([subject], load_profiles(), rules=[rule_by_id("recovery.record-is-possible")])
    assert (found.state, found.path) in {(State.UNKNOWN, told), (State.FAIL, told)}
    assert found.blocks


def test_what_happened_a_minute_ahead_of_our_clock_is_no_doubt() -> None:
    assert state("recovery.record-is-possible", {"prune": {"at": "2026-11-29T12:01:00Z"}}) is State.PASS
