"""What the host-side tools answer, parsed once; a document of another shape is an error that names it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import ToolError

Document = TypeVar("Document", bound="HostDocument")


class HostDocument(BaseModel):
    """Base: a host is not trusted, so sizes are bounded and unknown keys are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class VaultDescription(HostDocument):
    """`steward-vault describe`"""

    schema_: Literal["steward.vault/1"] = Field(alias="schema")
    certificate: str = Field(max_length=20_000)
    fingerprint: str = Field(max_length=200)
    port: int = Field(ge=1, le=65_535)
    repositories: Sequence[str]


class StoreReceipt(HostDocument):
    """One snapshot as the store saw it arrive."""

    repository: str = Field(max_length=64)
    snapshot: str = Field(pattern=r"^[0-9a-f]{64}$")
    arrived_at: datetime
    bytes: int = Field(ge=0)


class StoreReceipts(HostDocument):
    """`steward-vault receipts`"""

    schema_: Literal["steward.receipts/1"] = Field(alias="schema")
    receipts: Sequence[StoreReceipt]


class BackupRun(HostDocument):
    """`steward-backup run`, and the `last` and `last_good` of a status."""

    schema_: Literal["steward.backup-run/1"] = Field(alias="schema")
    plan: str = Field(max_length=100)
    plan_id: str = Field(max_length=64)
    run: str | None = Field(None, max_length=64)
    started_at: datetime
    finished_at: datetime
    snapshot: str | None = Field(None, max_length=64)
    bytes: int = 0
    duration_seconds: float = 0.0
    ok: bool
    error: str | None = Field(None, max_length=4_000)


class Timer(HostDocument):
    """The plan's systemd timer."""

    enabled: bool
    next_at: datetime | None = None
    last_at: datetime | None = None


class PlanStatus(HostDocument):
    """One plan on one host."""

    plan: str = Field(max_length=100)
    plan_id: str = Field(max_length=64)
    timer: Timer
    last: BackupRun | None = None
    last_good: BackupRun | None = None


class BackupStatus(HostDocument):
    """`steward-backup status`"""

    schema_: Literal["steward.backup-status/1"] = Field(alias="schema")
    plans: Sequence[PlanStatus]


class Snapshot(HostDocument):
    """One snapshot of a repository."""

    id: str = Field(max_length=64)
    short_id: str = Field("", max_length=16)
    time: datetime
    plan: str = Field("", max_length=100)
    paths: Sequence[str] = ()
    tags: Sequence[str] = ()
    size_bytes: int | None = None


class SnapshotList(HostDocument):
    """`steward-backup list`"""

    schema_: Literal["steward.backup-list/1"] = Field(alias="schema")
    snapshots: Sequence[Snapshot]


class RestoreResult(HostDocument):
    """`steward-backup restore`"""

    schema_: Literal["steward.backup-restore/1"] = Field(alias="schema")
    plan: str = Field(max_length=100)
    snapshot: str | None = Field(None, max_length=64)
    target: str | None = Field(None, max_length=400)
    files_compared: int = 0
    files_different: Sequence[str] = ()
    tables_compared: int = 0
    tables_different: Sequence[str] = ()
    bytes: int = 0
    duration_seconds: float = 0.0
    ok: bool
    error: str | None = Field(None, max_length=4_000)


def read_document(model: type[Document], text: str, host: str) -> Document:
    """Parse what a host-side tool printed; raises ToolError that names host and tool."""
    try:
        return model.model_validate(json.loads(text))
    except (ValueError, ValidationError) as problem:
        detail = problem.errors()[0]["msg"] if isinstance(problem, ValidationError) else "not JSON"
        raise ToolError(
            host, f"its {model.__name__} cannot be read: {detail}", got=text.strip()[:120],
            next_step="Run steward configure, so that the host has the tools of this version.",
        ) from problem  # fmt: skip
