"""What is asked of the host's PostgreSQL: sessions that share one snapshot, tables, and their digests."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from steward_backup.errors import BackupError
from steward_backup.process import must, run, start

ACCOUNT = "postgres"
# What a value looks like as text must not depend on a database's own settings.
SHAPE = {
    "timezone": "UTC",
    "datestyle": "ISO,YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "client_encoding": "UTF8",
    "search_path": "pg_catalog",
    "row_security": "off",
    "lock_timeout": "60s",
}
BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
TABLES = """
SELECT coalesce(json_agg(t ORDER BY t.schema, t.name), '[]') FROM (
    SELECT n.nspname AS schema, c.relname AS name, (
        SELECT json_agg(json_build_object('name', a.attname, 'text', a.attcollation <> 0) ORDER BY k.place)
        FROM pg_index AS i, unnest(i.indkey) WITH ORDINALITY AS k (number, place), pg_attribute AS a
        WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.number
    ) AS key
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND NOT EXISTS (
          SELECT FROM pg_depend AS d
          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
      )
) AS t
"""
LOCALE = """
SELECT json_build_object(
    'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype,
    'bytes', pg_database_size(oid)
) FROM pg_database WHERE datname = current_database()
"""
BLOCK = 1024 * 1024  # bytes


def environment(port: int) -> dict[str, str]:
    """Settings of every session, and of every program that opens one."""
    options = " ".join(f"-c {name}={value}" for name, value in SHAPE.items())
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PGPORT": str(port),
        "PGUSER": ACCOUNT,
        "PGCONNECT_TIMEOUT": "30",
        "PGOPTIONS": options,
    }


def identifier(name: str) -> str:
    """A name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text value quoted for SQL."""
    return "'" + value.replace("'", "''") + "'"


def copy_statement(table: dict[str, Any]) -> str:
    """COPY of a whole table in an order that is the same on every server.

    Without a primary key the rows are ordered by their own text. Text is compared byte by byte: what "a"
    sorts before depends on the operating system's locale otherwise.
    """
    keys = [
        f"t.{identifier(key['name'])}" + (' COLLATE "C"' if key["text"] else "") for key in table["key"] or []
    ]
    order = ", ".join(keys) or 't::text COLLATE "C"'
    name = f"{identifier(table['schema'])}.{identifier(table['name'])}"
    return f"COPY (SELECT * FROM ONLY {name} AS t ORDER BY {order}) TO STDOUT"


def psql_argv(database: str, *statements: str) -> list[str]:
    """Arguments of psql that run statements one by one in one session and stop at the first error."""
    flags = [part for statement in statements for part in ("--command", statement)]
    return [
        "/usr/bin/psql",
        "--no-psqlrc",
        "--quiet",
        "--no-align",
        "--tuples-only",
        "--set=ON_ERROR_STOP=1",
        *flags,
        f"--dbname={database}",
    ]


class Server:
    """The PostgreSQL server of this host, reached as its own account through the local socket."""

    def __init__(self, port: int) -> None:
        self.env = environment(port)

    def ask(self, database: str, *statements: str) -> str:
        """Run statements and give what they print."""
        ended = run(psql_argv(database, *statements), env=self.env, user=ACCOUNT)
        return must(f"database {database}", ended).out.decode("utf-8").strip()

    def describe(self, database: str) -> dict[str, Any]:
        """Encoding, locale and size in bytes of a database; one that is not there or refuses is an error."""
        return dict(json.loads(self.ask(database, LOCALE)))

    @contextmanager
    def snapshot(self, database: str) -> Iterator[str]:
        """Hold a transaction open, and give the name under which others see exactly its rows."""
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with start(psql_argv(database), env=self.env, user=ACCOUNT, **streams) as child:
            pipe, answers = child.running.stdin, child.running.stdout
            if pipe is None or answers is None:
                raise BackupError(f"database {database}: psql was started without pipes")
            try:
                pipe.write(f"{BEGIN};\nSELECT pg_export_snapshot();\n".encode())
                pipe.flush()
            except BrokenPipeError:
                child.running.wait()
            name = answers.readline().decode().strip()
            if not name:
                child.running.wait()
                raise BackupError(f"database {database}: no consistent snapshot: {child.told()}")
            yield name

    def digests(self, database: str, snapshot: str | None = None) -> dict[str, dict[str, Any]]:
        """Rows and SHA-256 of every table, in the order of `copy_statement`, as one snapshot shows them."""
        opening = [BEGIN, *([f"SET TRANSACTION SNAPSHOT {literal(snapshot)}"] if snapshot else [])]
        tables = json.loads(self.ask(database, *opening, TABLES))
        return {
            f"{table['schema']}.{table['name']}": self.digest(database, opening, table) for table in tables
        }

    def digest(self, database: str, opening: list[str], table: dict[str, Any]) -> dict[str, Any]:
        """Rows and SHA-256 of one table, streamed: the table never lies in memory."""
        argv = psql_argv(database, *opening, copy_statement(table))
        sha256, rows = hashlib.sha256(), 0
        with start(
            argv, env=self.env, user=ACCOUNT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ) as child:
            if child.running.stdout is None:
                raise BackupError(f"database {database}: psql was started without a pipe")
            while block := child.running.stdout.read(BLOCK):
                sha256.update(block)
                rows += block.count(b"\n")  # COPY writes a line break inside a value as two characters
            if child.running.wait() != 0:
                raise BackupError(
                    f"database {database}: table {table['schema']}.{table['name']}: {child.told()}"
                )
        return {"rows": rows, "sha256": sha256.hexdigest()}

    @contextmanager
    def scratch(self, name: str, like: dict[str, Any]) -> Iterator[str]:
        """Make an empty database with the encoding and locale of another, and drop it at the end."""
        self.ask(
            "postgres",
            f"CREATE DATABASE {identifier(name)} TEMPLATE template0 ENCODING {literal(like['encoding'])} "
            f"LC_COLLATE {literal(like['collate'])} LC_CTYPE {literal(like['ctype'])}",
        )
        try:
            yield name
        finally:
            self.ask("postgres", f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")
