"""What hosts answer is hostile until it is parsed: every odd answer is one error that names the host."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.backups.documents import (
    BackupRun,
    BackupStatus,
    RestoreResult,
    SnapshotList,
    StoreReceipts,
    read_document,
)
from orchestrator.errors import ToolError
from tests.fakes import NOON
from tests.unit.orchestrator.samples import SNAPSHOT, backup_run

RECEIPT = {"repository": "r", "snapshot": SNAPSHOT, "arrived_at": NOON.isoformat(), "bytes": 5}


def receipts(**changed: Any) -> str:
    return json.dumps({"schema": "steward.receipts/1", "receipts": [{**RECEIPT, **changed}]})


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "sudo: a password is required", "{", "[" * 100_000, '{"a":' * 100_000,
        json.dumps({"schema": "steward.receipts/2", "receipts": []}),
        receipts(bytes=-1), receipts(bytes=1 << 62), receipts(bytes="9" * 5000), receipts(snapshot="x"),
        receipts(snapshot=SNAPSHOT.upper()), receipts(arrived_at="2026-11-22T12:00:00"),
        receipts(arrived_at="soon"),
        receipts(repository="r" * 65), receipts(bytes=None),
    ],
)  # fmt: skip
def test_odd_receipts_are_one_error(text: str) -> None:
    with pytest.raises(
        ToolError, match=r"^vault-1: its StoreReceipts cannot be read: .*Run steward configure"
    ) as caught:
        read_document(StoreReceipts, text, "vault-1")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "changed",
    [
        {"finished_at": "2026-11-22T12:00:00"}, {"duration_seconds": float("nan")},
        {"duration_seconds": float("inf")},
        {"duration_seconds": -1}, {"error": "x" * 5000}, {"bytes": -1}, {"ok": "perhaps"},
    ],
)  # fmt: skip
def test_odd_backups_are_one_error(changed: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="its BackupRun cannot be read"):
        read_document(BackupRun, json.dumps(backup_run("site", NOON, **changed)), "web-1")


def test_the_error_says_where() -> None:
    with pytest.raises(ToolError, match=r"receipts\.0\.arrived_at: "):
        read_document(StoreReceipts, receipts(arrived_at="soon"), "vault-1")


def test_a_receipt_in_another_zone_is_the_same_moment() -> None:
    found = read_document(StoreReceipts, receipts(arrived_at="2026-11-22T13:00:00+01:00"), "vault-1")
    assert found.receipts[0].arrived_at == NOON


def test_what_a_newer_tool_adds_is_dropped() -> None:
    run = read_document(BackupRun, json.dumps({**backup_run("site", NOON), "later": 1}), "web-1")
    assert run.plan == "site"
    assert not hasattr(run, "later")


@pytest.mark.parametrize("model", [BackupStatus, SnapshotList, RestoreResult])
def test_the_document_of_another_tool_is_refused(model: Any) -> None:
    with pytest.raises(ToolError, match="schema"):
        read_document(model, json.dumps(backup_run("site", NOON)), "web-1")
