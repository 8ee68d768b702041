"""Backup records as subjects: one a plan and server, with what the vault saw and what the host says.

The document `steward.backup-records/1` holds `records`; each is, with `null` for "never" and "none":

    plan, server, region, bears_data, schedule, longest_gap_seconds, rpo_seconds, rto_seconds, keep
    repository   {name, stack, region, append_only, encrypted, immutable_until}
    vault        {newest_arrived_at, oldest_arrived_at, first_seen_at, count_7_days, count_30_days,
                  longest_gap_seconds}: receipts, as the vault saw them arrive
    host         {last_run_at, last_ok, snapshot_arrived, bytes, usual_bytes}: the host's own word
    check        {at, ok}: the last check of the repository;  prune {at, ok}
    drill        {at, ok, measured_seconds, restored, compared, different}: the last restore
    escrow       {proven_at}: when the key that is kept elsewhere last opened the repository
    credentials  {rotated_at}

A server without a plan has a record whose plan is null. Times are ISO 8601 with their zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from policies.facts import Facts, Unknown
from policies.model import Kind, Subject
from policies.subjects.document import Record, each_once, records

SCHEMA: Final = "steward.backup-records/1"
NO_PLAN: Final = "-"
"""Stands where a plan's name would; no plan may be named so."""


def backup_subjects(
    document: object, *, stack: str, tags: Mapping[str, object], now: datetime | None
) -> list[Subject]:
    """A subject for each record; raises DocumentError that names the place."""
    found = [_subject(Record(each, now), stack, tags) for each in records(document, SCHEMA, "records")]
    return list(each_once(found, SCHEMA))


def _subject(record: Record, stack: str, tags: Mapping[str, object]) -> Subject:
    name = f"{record.label('plan', NO_PLAN)}/{record.label('server', '?')}"
    told = {**_promise(record), **_seen(record), **_doubts(record)}
    return replace(_told(name, told, stack, tags), source_type=SCHEMA, witness="vault")


def silent_record(name: str, why: str, *, stack: str, tags: Mapping[str, object]) -> Subject:
    """A plan and server of the fleet of which nobody told anything, and why."""
    return _told(name, {"plan": Unknown(why)}, stack, tags)


def _told(name: str, told: Mapping[str, object], stack: str, tags: Mapping[str, object]) -> Subject:
    return Subject(
        kind=Kind.BACKUP_RECORD,
        type="backup_record",
        name=name,
        urn=f"{Kind.BACKUP_RECORD}:{stack}/{name}",
        stack=stack,
        facts=Facts({"name": name, "tags": tags, "stack": stack, **told}),
        witness="nobody",
    )


def _doubts(record: Record) -> Mapping[str, object]:
    """What cannot be so, whatever rules read of it."""
    doubts = record.doubts
    return {
        "impossible": [{"place": place, "value": value} for place, value in doubts.impossible.items()],
        "toCome": list(doubts.to_come) if record.knows_time else Unknown("nobody knows what time it is"),
    }


def _promise(record: Record) -> Mapping[str, object]:
    """What the plan says."""
    return {
        "plan": record.value("plan"),
        "server": record.value("server"),
        "region": record.value("region"),
        "bearsData": record.value("bears_data"),
        "schedule": record.value("schedule"),
        "longestGapSeconds": record.measure("longest_gap_seconds"),
        "rpoSeconds": record.measure("rpo_seconds"),
        "rtoSeconds": record.measure("rto_seconds"),
        "keep": record.value("keep"),
        "repository": record.part("repository", _repository),
    }


def _seen(record: Record) -> Mapping[str, object]:
    """What somebody saw happen."""
    return {
        "vault": record.part("vault", _vault),
        "host": record.part("host", _host),
        "check": record.part("check", _attempt),
        "prune": record.part("prune", _attempt),
        "drill": record.part("drill", _drill),
        "escrow": record.part("escrow", lambda part: {"ageSeconds": part.age("proven_at")}),
        "credentials": record.part("credentials", lambda part: {"ageSeconds": part.age("rotated_at")}),
    }


def _repository(part: Record) -> Mapping[str, object]:
    return {
        "name": part.value("name"),
        "stack": part.value("stack"),
        "region": part.value("region"),
        "appendOnly": part.value("append_only"),
        "encrypted": part.value("encrypted"),
        "immutableSeconds": part.remaining("immutable_until"),
    }


def _vault(part: Record) -> Mapping[str, object]:
    return {
        "newestAgeSeconds": part.age("newest_arrived_at"),
        "oldestAgeSeconds": part.age("oldest_arrived_at"),
        "firstSeenAgeSeconds": part.age("first_seen_at"),
        "count7Days": part.measure("count_7_days"),
        "count30Days": part.measure("count_30_days"),
        "longestGapSeconds": part.measure("longest_gap_seconds"),
    }


def _host(part: Record) -> Mapping[str, object]:
    return {
        "lastRunAgeSeconds": part.age("last_run_at"),
        "lastOk": part.value("last_ok"),
        "snapshotArrived": part.value("snapshot_arrived"),
        "bytes": part.measure("bytes"),
        "usualBytes": part.measure("usual_bytes"),
    }


def _attempt(part: Record) -> Mapping[str, object]:
    return {"ageSeconds": part.age("at"), "ok": part.value("ok")}


def _drill(part: Record) -> Mapping[str, object]:
    return {
        **_attempt(part),
        "measuredSeconds": part.measure("measured_seconds"),
        "restored": part.happened("restored"),
        "compared": part.measure("compared"),
        "different": part.measure("different"),
    }
