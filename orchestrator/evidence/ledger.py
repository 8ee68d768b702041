"""The ledger on SQLite: clients, stacks, runs and receipts, for ever."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row, create_engine, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from orchestrator.clock import Moment, new_id
from orchestrator.errors import InputError, StewardError, ToolError
from orchestrator.evidence.pins import PinBook
from orchestrator.evidence.schema import (
    VERSION,
    acceptances,
    clients,
    found_version,
    migrate,
    receipts,
    rotations,
    runs,
    stacks,
    wrote_its_record,
)
from orchestrator.file_lock import HeldError, file_lock
from orchestrator.ports.backups import Receipt
from orchestrator.ports.run import StackRecord
from orchestrator.settings import Settings
from orchestrator.state_folder import copy_database, open_state

_WAIT_SECONDS = 30
"""For another process that writes; each writes for milliseconds."""
_LOCKED = "database is locked"
"""SQLite's words when that wait was in vain. The file itself is well."""


class SqliteLedger:
    """Implements `ports.ledger.Ledger` in one file; several processes may use it at once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._engine = _engine(path)
        try:
            with file_lock(path.with_suffix(".lock"), _WAIT_SECONDS):
                self._bring_to_version(path)
        except (HeldError, ToolError) as problem:
            raise _held(InputError, path) from problem
        except (DatabaseError, sqlite3.Error) as problem:
            said = problem.orig if isinstance(problem, DatabaseError) else problem
            raise InputError(
                "ledger", "the database cannot be read", place=str(path), got=str(said),
                next_step="Restore it from your backup of STEWARD_HOME.",
            ) from problem  # fmt: skip
        path.chmod(0o600)
        self.pins = PinBook(self._engine)

    def _bring_to_version(self, path: Path) -> None:
        """Make a new database or migrate an older one, with a copy of it first; refuse a newer one."""
        with self._engine.connect() as connection:
            found = found_version(connection)
        if found > VERSION:
            raise InputError(
                "ledger", "was written by a newer Steward", place=str(path), got=f"version {found}",
                rule=f"version {VERSION} at most", next_step="Use that newer Steward.",
            )  # fmt: skip
        if 0 < found < VERSION:
            folder = path.parent / "backups"
            folder.mkdir(mode=0o700, exist_ok=True)
            copy_database(path, folder / f"{path.stem}-v{found}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.db")
        migrate(self._engine)

    def stack(self, name: str) -> StackRecord | None:
        """The living stack of that name."""
        query = (
            select(stacks, clients.c.name.label("client"))
            .join(clients, clients.c.id == stacks.c.client_id)
            .where(stacks.c.name == name, stacks.c.ended_at.is_(None))
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return _record(row) if row is not None else None

    def living_stacks(self) -> Sequence[str]:
        """Names of all stacks that were not ended, in order."""
        query = select(stacks.c.name).where(stacks.c.ended_at.is_(None)).order_by(stacks.c.name)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def create_stack(self, name: str, client: str, at: datetime) -> StackRecord:
        """Give ids to a new stack (and to its client, when that is new too)."""
        with self._engine.begin() as connection:
            new_client = insert(clients).values(id=new_id(), name=client, created_at=at.isoformat())
            connection.execute(new_client.on_conflict_do_nothing(index_elements=["name"]))
            client_id = connection.execute(select(clients.c.id).where(clients.c.name == client)).scalar_one()
            row = {"id": new_id(), "name": name, "client_id": client_id, "created_at": at.isoformat()}
            connection.execute(stacks.insert().values(row))
        return StackRecord(name=name, id=row["id"], client=client, client_id=client_id, created_at=at)

    def end_stack(self, record: StackRecord, at: datetime) -> None:
        """The stack is destroyed; its name may be used again and inherits nothing."""
        with self._engine.begin() as connection:
            connection.execute(
                stacks.update().where(stacks.c.id == record.id).values(ended_at=at.isoformat())
            )

    def begin_run(self, run: str, verb: str, stack: str, at: Moment) -> None:
        """A run starts."""
        values = {
            "id": run,
            "verb": verb,
            "stack": stack,
            "started_at": at.utc.isoformat(),
            "started_monotonic_seconds": at.monotonic_seconds,
            "boot_id": at.boot_id,
        }
        with self._engine.begin() as connection:
            connection.execute(runs.insert().values(values))

    def end_run(self, run: str, exit_code: int, at: Moment) -> None:
        """A run ended."""
        ending = {"ended_at": at.utc.isoformat(), "exit_code": exit_code}
        with self._engine.begin() as connection:
            connection.execute(runs.update().where(runs.c.id == run).values(ending))

    def last_runs(self, stack: str | None, limit: int) -> Sequence[dict[str, Any]]:
        """The newest runs first."""
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        if stack is not None:
            query = query.where(runs.c.stack == stack)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def recorded(self) -> Sequence[RecordedStack]:
        """Every stack that ever was, with the runs of its time that surely left evidence, by name."""
        with self._engine.connect() as connection:
            found = connection.execute(select(stacks).order_by(stacks.c.name, stacks.c.created_at)).all()
            rows = connection.execute(select(runs)).all()
        ended: dict[str, list[tuple[datetime, str]]] = {}
        for row in rows:
            if wrote_its_record(row.exit_code):
                ended.setdefault(row.stack, []).append((datetime.fromisoformat(row.started_at), row.id))
        return [_recorded(row, ended.get(row.name, [])) for row in found]

    def record_rotation(
        self, run: str, stack: str, kind: str, subject: str, state: str, at: datetime
    ) -> None:
        """One step of a rotation of credentials; earlier steps stay."""
        values = {"run": run, "stack": stack, "kind": kind, "subject": subject, "state": state}
        with self._engine.begin() as connection:
            connection.execute(rotations.insert().values({**values, "at": at.isoformat()}))

    def record_receipts(self, stack: str, run: str, found: Sequence[Receipt]) -> None:
        """Keep receipts; one that is known already stays as it was first seen."""
        rows = [
            {
                "repository": each.repository,
                "snapshot": each.snapshot,
                "arrived_at": each.arrived_at.isoformat(),
                "bytes": each.bytes,
                "stack": stack,
                "run": run,
            }
            for each in found
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(insert(receipts).on_conflict_do_nothing(), rows)

    def accept(self, repository: str, plan: str, run: str, at: datetime) -> None:
        """A person said that this server has what it needs of its predecessors' backups of the plan."""
        values = {"repository": repository, "plan": plan, "run": run, "at": at.isoformat()}
        with self._engine.begin() as connection:
            connection.execute(insert(acceptances).on_conflict_do_nothing(), values)

    def accepted(self, repositories: Sequence[str]) -> set[tuple[str, str]]:
        """The (repository, plan) pairs of which that was said."""
        query = select(acceptances.c.repository, acceptances.c.plan).where(
            acceptances.c.repository.in_(repositories)
        )
        with self._engine.connect() as connection:
            return {(row.repository, row.plan) for row in connection.execute(query)}

    def arrivals(self, repositories: Sequence[str], since: datetime) -> Sequence[Receipt]:
        """Every snapshot that was seen to arrive in these repositories since then."""
        query = (
            select(receipts)
            .where(receipts.c.repository.in_(repositories), receipts.c.arrived_at >= since.isoformat())
            .order_by(receipts.c.arrived_at)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Receipt(row.repository, row.snapshot, datetime.fromisoformat(row.arrived_at), row.bytes)
            for row in rows
        ]

    def first_seen(self, repositories: Sequence[str]) -> Mapping[tuple[str, str], datetime]:
        """The arrival that each known snapshot had when first seen, by (repository id, snapshot id)."""
        query = select(receipts.c.repository, receipts.c.snapshot, receipts.c.arrived_at).where(
            receipts.c.repository.in_(repositories)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {(row.repository, row.snapshot): datetime.fromisoformat(row.arrived_at) for row in rows}


def open_ledger(settings: Settings) -> SqliteLedger:
    """The ledger of this installation; makes STEWARD_HOME (0700) on first use."""
    if settings.home.resolve().is_relative_to(settings.project.resolve()):
        raise InputError(
            "STEWARD_HOME", "lies inside the checkout, where a clean would take it along",
            place=str(settings.home), next_step="Set STEWARD_HOME to a folder outside of it.",
        )  # fmt: skip
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        open_state(settings.home)
        (settings.home / "pulumi").mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise InputError(
            "STEWARD_HOME", f"cannot be made: {problem.strerror}", place=str(settings.home),
            next_step="Set STEWARD_HOME to a folder that you may write to.",
        ) from problem  # fmt: skip
    return SqliteLedger(settings.home / "steward.db")


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def _durable(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "handle_error")
    def _told(context: Any) -> None:
        if _LOCKED in str(context.original_exception):
            raise _held(ToolError, path) from context.original_exception
        if "database or disk is full" in str(context.original_exception):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from context.original_exception

    return engine


def _held(kind: type[StewardError], path: Path) -> StewardError:
    """Another process keeps the ledger, as one that was stopped in the middle of a write."""
    return kind(
        "ledger", "another process holds it", place=str(path), got=f"still held after {_WAIT_SECONDS} s",
        next_step=f"See which with: fuser -v {path} {path.with_suffix('.lock')}. "
        "End it, or wait for it, then run this again.",
    )  # fmt: skip


@dataclass(frozen=True)
class RecordedStack:
    """A stack by its immutable id, and its runs that the ledger saw to their end."""

    name: str
    id: str
    runs: tuple[str, ...]


def _recorded(row: Row[Any], ended: Sequence[tuple[datetime, str]]) -> RecordedStack:
    begin = datetime.fromisoformat(row.created_at)
    end = datetime.fromisoformat(row.ended_at) if row.ended_at else datetime.max.replace(tzinfo=UTC)
    return RecordedStack(row.name, row.id, tuple(run for at, run in ended if begin <= at <= end))


def _record(row: Row[Any]) -> StackRecord:
    return StackRecord(
        name=row.name,
        id=row.id,
        client=row.client,
        client_id=row.client_id,
        created_at=datetime.fromisoformat(row.created_at),
    )
