"""Tables of steward.db and the migrations that lead to them; every time is UTC in ISO 8601."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from orchestrator.errors import ToolError

VERSION = 3

metadata = MetaData()

versions = Table("ledger_version", metadata, Column("version", Integer, primary_key=True))

clients = Table(
    "clients",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("created_at", String(40), nullable=False),
)

stacks = Table(
    "stacks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(128), nullable=False, index=True),
    Column("client_id", String(32), ForeignKey("clients.id"), nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("ended_at", String(40)),
)
Index("one_living_stack_a_name", stacks.c.name, unique=True, sqlite_where=stacks.c.ended_at.is_(None))

runs = Table(
    "runs",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("verb", String(32), nullable=False),
    Column("stack", String(128), nullable=False, index=True),
    Column("started_at", String(40), nullable=False),
    Column("started_monotonic_seconds", Float, nullable=False),
    Column("boot_id", String(40), nullable=False),
    Column("ended_at", String(40)),
    Column("exit_code", Integer),
)

receipts = Table(
    "receipts",
    metadata,
    Column("repository", String(32), nullable=False),
    Column("snapshot", String(64), nullable=False),
    Column("arrived_at", String(40), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("stack", String(128), nullable=False),
    Column("run", String(26), nullable=False),
    UniqueConstraint("repository", "snapshot"),
)

pins = Table(
    "host_key_pins",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stack_id", String(32), nullable=False, index=True),
    Column("server", String(64), nullable=False),
    Column("incarnation", String(32), nullable=False),
    Column("old_key", String(200), nullable=False),
    Column("new_key", String(200), nullable=False),
    Column("run", String(26), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("at", String(40), nullable=False),
)


rotations = Table(
    "rotations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("run", String(26), nullable=False),
    Column("stack", String(128), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", String(40), nullable=False),
)


acceptances = Table(
    "acceptances",
    metadata,
    Column("repository", String(32), nullable=False),
    Column("plan", String(64), nullable=False),
    Column("run", String(26), nullable=False),
    Column("at", String(40), nullable=False),
    UniqueConstraint("repository", "plan"),
)


Migration = Callable[[Connection], None]


def _new_tables_alone(_connection: Connection) -> None:
    """Nothing to change: tables that are not there yet are made for every version."""


MIGRATIONS: Final[Mapping[int, Migration]] = {2: _new_tables_alone, 3: _new_tables_alone}
"""By the version that each leads to; `tests/unit/orchestrator/evidence/versions/` has each as SQL."""


def wrote_its_record(exit_code: int | None) -> bool:
    """Whether a run with this end in the ledger surely had its record in the evidence chain before.

    One that was killed, or could not write its record, ends with the code of a tool that failed.
    """
    return exit_code not in (None, ToolError.exit_code)


def migrate(engine: Engine, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
    """Bring an older database to VERSION, or make a new one: all of it or, when killed, nothing."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE"
        )  # the driver begins by itself only before changes of rows
        found = found_version(connection)
        for version in range(found + 1, VERSION + 1) if found else ():
            migrations[version](connection)
        metadata.create_all(connection)
        if found == 0:
            connection.execute(versions.insert().values(version=VERSION))
        elif found < VERSION:
            connection.execute(versions.update().values(version=VERSION))


def found_version(connection: Connection) -> int:
    """The version of a database; 0 for a new one."""
    if not connection.dialect.has_table(connection, versions.name):
        return 0
    found = connection.execute(versions.select()).scalar_one_or_none()
    return int(found) if found is not None else 0
