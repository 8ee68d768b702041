"""What the host-side tools answer, parsed once; a document of another shape is an error that names it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import ToolError

_EARLIEST_YEAR, _LATEST_YEAR = 2000, 2200

Document = TypeVar("Document", bound="HostDocument")
Line = Annotated[str, Field(max_length=4_096)]
Amount = Annotated[int, Field(ge=0, lt=1 << 62)]
"""A count or a number of bytes that a database takes."""
Encoded = Annotated[str, Field(max_length=100_000, pattern=r"^[A-Za-z0-9+/=]+$")]
Seconds = Annotated[float, Field(ge=0)]
_MOST = 100_000
"""Entries of one list."""


def _sensible(moment: datetime) -> datetime:
    """In UTC and of this age: a host may name any time, and the calendar's ends break whoever computes."""
    if not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
        raise ValueError(f"a time outside of the years {_EARLIEST_YEAR} to {_LATEST_YEAR}")
    return moment.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_sensible)]


class HostDocument(BaseModel):
    """Base: a host is not trusted, so sizes are bounded, times have a zone, and unknown keys are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, allow_inf_nan=False)


class VaultDescription(HostDocument):
    """`steward-vault describe`"""

    schema_: Literal["steward.vault/1"] = Field(alias="schema")
    certificate: str = Field(max_length=20_000)
    fingerprint: str = Field(max_length=200)
    port: int = Field(ge=1, le=65_535)
    repositories: Sequence[Line] = Field(max_length=_MOST)


class StoreKeys(HostDocument):
    """`steward-vault keys`: a repository's configuration and keys, each in base64."""

    schema_: Literal["steward.repository-keys/1"] = Field(alias="schema")
    files: Mapping[Annotated[str, Field(pattern=r"^(config|keys/[0-9a-f]{64})$")], Encoded] = Field(
        max_length=64
    )


class StoreReceipt(HostDocument):
    """One snapshot as the store saw it arrive."""

    repository: str = Field(max_length=64)
    snapshot: str = Field(pattern=r"^[0-9a-f]{64}$")
    arrived_at: Instant
    bytes: Amount


class StoreReceipts(HostDocument):
    """`steward-vault receipts`"""

    schema_: Literal["steward.receipts/1"] = Field(alias="schema")
    receipts: Sequence[StoreReceipt] = Field(max_length=10 * _MOST)


class BackupRun(HostDocument):
    """`steward-backup run`, and the `last` and `last_good` of a status."""

    schema_: Literal["steward.backup-run/1"] = Field(alias="schema")
    plan: str = Field(max_length=100)
    plan_id: str = Field(max_length=64)
    run: str | None = Field(None, max_length=64)
    started_at: Instant
    finished_at: Instant
    snapshot: str | None = Field(None, max_length=64)
    paths: Sequence[Line] = Field(max_length=_MOST)
    databases: Sequence[Line] = Field(max_length=_MOST)
    bytes: Amount = 0
    duration_seconds: Seconds = 0.0
    ok: bool
    error: str | None = Field(None, max_length=4_000)


class Timer(HostDocument):
    """The plan's systemd timer."""

    enabled: bool
    next_at: Instant | None = None
    last_at: Instant | None = None


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
    plans: Sequence[PlanStatus] = Field(max_length=1_000)


class Snapshot(HostDocument):
    """One snapshot of a repository."""

    id: str = Field(max_length=64)
    short_id: str = Field("", max_length=16)
    time: Instant
    plan: str = Field("", max_length=100)
    paths: Sequence[Line] = Field((), max_length=_MOST)
    tags: Sequence[Line] = Field((), max_length=_MOST)
    size_bytes: Amount | None = None
    repository: str = Field("", max_length=32)
    """Where it lies, as the one who asked knows it; what a host says of this is not used."""
    earlier: bool = False
    """Whether it is of an earlier incarnation of its server. As above."""
    past_keep: bool = False
    """Whether the plan's `keep` asks for it no more; nothing is removed for that. As above."""


class StoreSnapshots(HostDocument):
    """`steward-vault keys --snapshots`: configuration, keys, encrypted snapshot records, each in base64."""

    schema_: Literal["steward.repository-keys/1"] = Field(alias="schema")
    files: Mapping[Annotated[str, Field(pattern=r"^(config|(keys|snapshots)/[0-9a-f]{64})$")], Encoded] = (
        Field(max_length=_MOST)
    )


class SnapshotList(HostDocument):
    """`steward-backup list`"""

    schema_: Literal["steward.backup-list/1"] = Field(alias="schema")
    snapshots: Sequence[Snapshot] = Field(max_length=_MOST)


class RestoreResult(HostDocument):
    """`steward-backup restore`"""

    schema_: Literal["steward.backup-restore/1"] = Field(alias="schema")
    plan: str = Field(max_length=100)
    snapshot: str | None = Field(None, max_length=64)
    target: str | None = Field(None, max_length=400)
    files_compared: Amount = 0
    files_different: Sequence[Line] = Field((), max_length=_MOST)
    tables_compared: Amount = 0
    tables_different: Sequence[Line] = Field((), max_length=_MOST)
    bytes: Amount = 0
    duration_seconds: Seconds = 0.0
    ok: bool
    error: str | None = Field(None, max_length=4_000)


def read_document(model: type[Document], text: str, host: str) -> Document:
    """Parse what a host-side tool printed; raises ToolError that names host and tool."""
    try:
        return model.model_validate_json(text)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        detail = f"{place}: {first['msg']}" if place else first["msg"]
        raise ToolError(
            host, f"its {model.__name__} cannot be read: {detail}", got=text.strip()[:120],
            next_step="Run steward configure, so that the host has the tools of this version.",
        ) from problem  # fmt: skip


def read_snapshots(text: str, host: str) -> list[Snapshot]:
    """From `restic snapshots --json`; raises ToolError for what is none."""
    try:
        return [_snapshot(row) for row in json.loads(text) or ()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ToolError(host, "the repository's snapshots cannot be read", got=text[:200]) from problem


def _snapshot(row: Mapping[str, Any]) -> Snapshot:
    tags = [str(tag) for tag in row.get("tags") or ()]
    named = dict(tag.partition("=")[::2] for tag in tags)
    return Snapshot(
        id=row["id"],
        short_id=row.get("short_id", ""),
        time=row["time"],
        plan=named.get("plan", ""),
        paths=row.get("paths") or (),
        tags=tags,
        size_bytes=(row.get("summary") or {}).get("total_bytes_processed"),
    )


def current_key(text: str, host: str) -> str:
    """From `restic key list --json`: the beginning of the name of the key that the password opened."""
    try:
        found = [str(key["id"]) for key in json.loads(text) if key["current"]]
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise ToolError(host, "the repository's keys cannot be read", got=text[:200]) from problem
    if len(found) != 1 or len(found[0]) < 8:
        raise ToolError(host, "the password opens no key of the repository, or several", got=", ".join(found))
    return found[0]
