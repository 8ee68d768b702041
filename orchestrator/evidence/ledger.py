"""The ledger on SQLite: clients, stacks, runs and receipts, for ever."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.clock import Moment, new_id
from orchestrator.errors import InputError, ToolError
from orchestrator.evidence.database import Database
from orchestrator.evidence.pins import PinBook
from orchestrator.evidence.schema import VERSION, found_version, migrate, wrote_its_record
from orchestrator.file_lock import HeldError, file_lock
from orchestrator.ports.backups import Receipt
from orchestrator.ports.run import StackRecord
from orchestrator.settings import Settings
from orchestrator.state_folder import copy_database, open_state

_WAIT_SECONDS = 30
"""For another process that has the ledger; each has it for milliseconds."""


class SqliteLedger:
    """Implements `ports.ledger.Ledger` in one file; several processes may use it at once."""

    def __init__(self, path: Path, wait_seconds: float = _WAIT_SECONDS) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._database = Database(path, wait_seconds)
        try:
            with file_lock(path.with_suffix(".lock"), wait_seconds):
                self._bring_to_version(path)
                self._database.keep()
        except (HeldError, ToolError) as problem:
            raise self._database.held(InputError) from problem
        except sqlite3.Error as problem:
            raise InputError(
                "ledger", "the database cannot be read", place=str(path), got=str(problem),
                next_step="Restore it from your backup of STEWARD_HOME.",
            ) from problem  # fmt: skip
        path.chmod(0o600)
        self.pins = PinBook(self._database)

    def _bring_to_version(self, path: Path) -> None:
        """Make a new database or migrate an older one, with a copy of it first; refuse a newer one."""
        with self._database.reading() as connection:
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
        migrate(self._database)

    def stack(self, name: str) -> StackRecord | None:
        """The living stack of that name."""
        query = """SELECT stacks.*, clients.name AS client FROM stacks JOIN clients ON clients.id = client_id
            WHERE stacks.name = ? AND ended_at IS NULL"""
        with self._database.reading() as connection:
            row = connection.execute(query, (name,)).fetchone()
        return _record(row) if row is not None else None

    def living_stacks(self) -> Sequence[str]:
        """Names of all stacks that were not ended, in order."""
        query = "SELECT name FROM stacks WHERE ended_at IS NULL ORDER BY name"
        with self._database.reading() as connection:
            return [row["name"] for row in connection.execute(query)]

    def create_stack(self, name: str, client: str, at: datetime) -> StackRecord:
        """Give ids to a new stack (and to its client, when that is new too)."""
        stack_id, since = new_id(), at.isoformat()
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO clients (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
                (new_id(), client, since),
            )
            (client_id,) = connection.execute("SELECT id FROM clients WHERE name = ?", (client,)).fetchone()
            connection.execute(
                "INSERT INTO stacks (id, name, client_id, created_at) VALUES (?, ?, ?, ?)",
                (stack_id, name, client_id, since),
            )
        return StackRecord(name=name, id=stack_id, client=client, client_id=client_id, created_at=at)

    def end_stack(self, record: StackRecord, at: datetime) -> None:
        """The stack is destroyed; its name may be used again and inherits nothing."""
        with self._database.writing() as connection:
            connection.execute("UPDATE stacks SET ended_at = ? WHERE id = ?", (at.isoformat(), record.id))

    def begin_run(self, run: str, verb: str, stack: str, at: Moment) -> None:
        """A run starts."""
        with self._database.writing() as connection:
            connection.execute(
                """INSERT INTO runs (id, verb, stack, started_at, started_monotonic_seconds, boot_id)
                    VALUES (?, ?, ?, ?, ?, ?)""",
                (run, verb, stack, at.utc.isoformat(), at.monotonic_seconds, at.boot_id),
            )

    def end_run(self, run: str, exit_code: int, at: Moment) -> None:
        """A run ended."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE runs SET ended_at = ?, exit_code = ? WHERE id = ?",
                (at.utc.isoformat(), exit_code, run),
            )

    def last_runs(self, stack: str | None, limit: int) -> Sequence[dict[str, Any]]:
        """The newest runs first."""
        everywhere = "SELECT * FROM runs ORDER BY id DESC LIMIT :limit"
        on_one = "SELECT * FROM runs WHERE stack = :stack ORDER BY id DESC LIMIT :limit"
        query = everywhere if stack is None else on_one
        with self._database.reading() as connection:
            return [dict(row) for row in connection.execute(query, {"stack": stack, "limit": limit})]

    def recorded(self) -> Sequence[RecordedStack]:
        """Every stack that ever was, with the runs of its time that surely left evidence, by name."""
        with self._database.reading() as connection:
            found = connection.execute("SELECT * FROM stacks ORDER BY name, created_at").fetchall()
            rows = connection.execute("SELECT id, stack, started_at, exit_code FROM runs").fetchall()
        ended: dict[str, list[tuple[datetime, str]]] = {}
        for row in rows:
            if wrote_its_record(row["exit_code"]):
                at = datetime.fromisoformat(row["started_at"])
                ended.setdefault(row["stack"], []).append((at, row["id"]))
        return [_recorded(row, ended.get(row["name"], [])) for row in found]

    def record_rotation(
        self, run: str, stack: str, kind: str, subject: str, state: str, at: datetime
    ) -> None:
        """One step of a rotation of credentials; earlier steps stay."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO rotations (run, stack, kind, subject, state, at) VALUES (?, ?, ?, ?, ?, ?)",
                (run, stack, kind, subject, state, at.isoformat()),
            )

    def record_receipts(self, stack: str, run: str, found: Sequence[Receipt]) -> None:
        """Keep receipts; one that is known already stays as it was first seen."""
        rows = [
            (each.repository, each.snapshot, each.arrived_at.isoformat(), each.bytes, stack, run)
            for each in found
        ]
        if rows:
            with self._database.writing() as connection:
                connection.executemany(
                    """INSERT INTO receipts (repository, snapshot, arrived_at, bytes, stack, run)
                        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
                    rows,
                )

    def accept(self, repository: str, plan: str, run: str, at: datetime) -> None:
        """A person said that this server has what it needs of its predecessors' backups of the plan."""
        with self._database.writing() as connection:
            connection.execute(
                """INSERT INTO acceptances (repository, "plan", run, at) VALUES (?, ?, ?, ?)
                    ON CONFLICT DO NOTHING""",
                (repository, plan, run, at.isoformat()),
            )

    def accepted(self, repositories: Sequence[str]) -> set[tuple[str, str]]:
        """The (repository, plan) pairs of which that was said."""
        query = """SELECT repository, "plan" FROM acceptances
            WHERE repository IN (SELECT value FROM json_each(:repositories))"""
        with self._database.reading() as connection:
            return {(row["repository"], row["plan"]) for row in connection.execute(query, _all(repositories))}

    def arrivals(self, repositories: Sequence[str], since: datetime) -> Sequence[Receipt]:
        """Every snapshot that was seen to arrive in these repositories since then."""
        query = """SELECT repository, snapshot, arrived_at, bytes FROM receipts
            WHERE repository IN (SELECT value FROM json_each(:repositories)) AND arrived_at >= :since
            ORDER BY arrived_at"""
        with self._database.reading() as connection:
            rows = connection.execute(query, _all(repositories) | {"since": since.isoformat()}).fetchall()
        return [
            Receipt(
                row["repository"], row["snapshot"], datetime.fromisoformat(row["arrived_at"]), row["bytes"]
            )
            for row in rows
        ]

    def first_seen(self, repositories: Sequence[str]) -> Mapping[tuple[str, str], datetime]:
        """The arrival that each known snapshot had when first seen, by (repository id, snapshot id)."""
        query = """SELECT repository, snapshot, arrived_at FROM receipts
            WHERE repository IN (SELECT value FROM json_each(:repositories))"""
        with self._database.reading() as connection:
            rows = connection.execute(query, _all(repositories)).fetchall()
        return {
            (row["repository"], row["snapshot"]): datetime.fromisoformat(row["arrived_at"]) for row in rows
        }


def _all(repositories: Sequence[str]) -> dict[str, str]:
    """As a parameter: SQLite takes no lists, and one JSON text is one however many there are."""
    return {"repositories": json.dumps(list(repositories))}


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


@dataclass(frozen=True)
class RecordedStack:
    """A stack by its immutable id, and its runs that the ledger saw to their end."""

    name: str
    id: str
    runs: tuple[str, ...]


def _recorded(row: sqlite3.Row, ended: Sequence[tuple[datetime, str]]) -> RecordedStack:
    begin = datetime.fromisoformat(row["created_at"])
    end = datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else datetime.max.replace(tzinfo=UTC)
    return RecordedStack(row["name"], row["id"], tuple(run for at, run in ended if begin <= at <= end))


def _record(row: sqlite3.Row) -> StackRecord:
    return StackRecord(
        name=row["name"],
        id=row["id"],
        client=row["client"],
        client_id=row["client_id"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
