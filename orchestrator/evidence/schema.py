"""Tables of steward.db and the migrations that lead to them; every time is UTC in ISO 8601."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from sqlite3 import Connection
from typing import Final

from orchestrator.errors import ToolError
from orchestrator.evidence.database import Database

VERSION = 3

# SQLite does not look at the lengths; they stay, so that a ledger of any age has the same tables.
TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS ledger_version (version INTEGER NOT NULL, PRIMARY KEY (version))",
    """CREATE TABLE IF NOT EXISTS clients (
        id VARCHAR(32) NOT NULL,
        name VARCHAR(64) NOT NULL,
        created_at VARCHAR(40) NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (name)
    )""",
    """CREATE TABLE IF NOT EXISTS stacks (
        id VARCHAR(32) NOT NULL,
        name VARCHAR(128) NOT NULL,
        client_id VARCHAR(32) NOT NULL,
        created_at VARCHAR(40) NOT NULL,
        ended_at VARCHAR(40),
        PRIMARY KEY (id),
        FOREIGN KEY (client_id) REFERENCES clients (id)
    )""",
    "CREATE INDEX IF NOT EXISTS ix_stacks_name ON stacks (name)",
    "CREATE UNIQUE INDEX IF NOT EXISTS one_living_stack_a_name ON stacks (name) WHERE ended_at IS NULL",
    """CREATE TABLE IF NOT EXISTS runs (
        id VARCHAR(26) NOT NULL,
        verb VARCHAR(32) NOT NULL,
        stack VARCHAR(128) NOT NULL,
        started_at VARCHAR(40) NOT NULL,
        started_monotonic_seconds FLOAT NOT NULL,
        boot_id VARCHAR(40) NOT NULL,
        ended_at VARCHAR(40),
        exit_code INTEGER,
        PRIMARY KEY (id)
    )""",
    "CREATE INDEX IF NOT EXISTS ix_runs_stack ON runs (stack)",
    """CREATE TABLE IF NOT EXISTS receipts (
        repository VARCHAR(32) NOT NULL,
        snapshot VARCHAR(64) NOT NULL,
        arrived_at VARCHAR(40) NOT NULL,
        bytes INTEGER NOT NULL,
        stack VARCHAR(128) NOT NULL,
        run VARCHAR(26) NOT NULL,
        UNIQUE (repository, snapshot)
    )""",
    """CREATE TABLE IF NOT EXISTS host_key_pins (
        id INTEGER NOT NULL,
        stack_id VARCHAR(32) NOT NULL,
        server VARCHAR(64) NOT NULL,
        incarnation VARCHAR(32) NOT NULL,
        old_key VARCHAR(200) NOT NULL,
        new_key VARCHAR(200) NOT NULL,
        run VARCHAR(26) NOT NULL,
        actor VARCHAR(200) NOT NULL,
        at VARCHAR(40) NOT NULL,
        PRIMARY KEY (id)
    )""",
    "CREATE INDEX IF NOT EXISTS ix_host_key_pins_stack_id ON host_key_pins (stack_id)",
    """CREATE TABLE IF NOT EXISTS rotations (
        number INTEGER NOT NULL,
        run VARCHAR(26) NOT NULL,
        stack VARCHAR(128) NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject VARCHAR(128) NOT NULL,
        state VARCHAR(16) NOT NULL,
        at VARCHAR(40) NOT NULL,
        PRIMARY KEY (number)
    )""",
    "CREATE INDEX IF NOT EXISTS ix_rotations_stack ON rotations (stack)",
    """CREATE TABLE IF NOT EXISTS acceptances (
        repository VARCHAR(32) NOT NULL,
        "plan" VARCHAR(64) NOT NULL,
        run VARCHAR(26) NOT NULL,
        at VARCHAR(40) NOT NULL,
        UNIQUE (repository, "plan")
    )""",
)

Migration = Callable[[Connection], object]


def _new_tables_alone(_connection: Connection) -> None:
    """Nothing to change: tables that are not there yet are made for every version."""


MIGRATIONS: Final[Mapping[int, Migration]] = {2: _new_tables_alone, 3: _new_tables_alone}
"""By the version that each leads to; `tests/unit/orchestrator/evidence/versions/` has each as SQL."""


def wrote_its_record(exit_code: int | None) -> bool:
    """Whether a run with this end in the ledger surely had its record in the evidence chain before.

    One that was killed, or could not write its record, ends with the code of a tool that failed.
    """
    return exit_code not in (None, ToolError.exit_code)


def migrate(database: Database, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
    """Bring an older database to VERSION, or make a new one: all of it or, when killed, nothing."""
    with database.writing() as connection:
        found = found_version(connection)
        for version in range(found + 1, VERSION + 1) if found else ():
            migrations[version](connection)
        for statement in TABLES:
            connection.execute(statement)
        if found == 0:
            connection.execute("INSERT INTO ledger_version VALUES (?)", (VERSION,))
        elif found < VERSION:
            connection.execute("UPDATE ledger_version SET version = ?", (VERSION,))


def found_version(connection: Connection) -> int:
    """The version of a database; 0 for a new one."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'ledger_version'")
    if known.fetchone() is None:
        return 0
    found = connection.execute("SELECT version FROM ledger_version").fetchone()
    return int(found["version"]) if found is not None else 0
