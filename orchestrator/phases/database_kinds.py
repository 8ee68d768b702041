"""What a rotation asks of PostgreSQL and of Redis on their servers; a password goes in by standard input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from orchestrator.host_answer import answer
from orchestrator.inventory.logins import POSTGRESQL, REDIS, DatabaseUser
from orchestrator.inventory.supplies import Login
from orchestrator.ports.hosts import HostShell
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

_SECONDS = 30.0
_LONGEST_SESSION_SECONDS = 60.0
_PORT = 5432

_LOG_IN = r"""
import json, sys
import psycopg2
asked = json.load(sys.stdin)
try:
    connection = psycopg2.connect(host="127.0.0.1", dbname="postgres", connect_timeout=10, **asked)
except psycopg2.OperationalError as problem:
    print(json.dumps({"refused": str(problem)}))
else:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        print(json.dumps({"acts_as": cursor.fetchone()[0]}))
"""
_SESSIONS = r"""
import json, sys, time
import psycopg2
asked = json.load(sys.stdin)
connection = psycopg2.connect(dbname="postgres", port=asked["port"])
connection.autocommit = True
until = time.monotonic() + asked["seconds"]
while True:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT coalesce(host(client_addr), 'the server itself') FROM pg_stat_activity "
            "WHERE usename = %s",
            [asked["login"]],
        )
        left = [row[0] for row in cursor.fetchall()]
    if not left or time.monotonic() > until:
        break
    time.sleep(0.5)
print(json.dumps(left))
"""
_AUTHENTICATE = r"""
import json, socket, ssl, sys
password = json.load(sys.stdin)["password"].encode()
with open("/etc/redis/redis.conf") as file:
    known = dict(line.strip().partition(" ")[::2] for line in file)
with socket.create_connection(("127.0.0.1", int(known.get("tls-port") or known["port"])), 10) as connection:
    if "tls-port" in known:
        trusted = ssl.create_default_context(cafile=known["tls-ca-cert-file"])
        connection = trusted.wrap_socket(connection, server_hostname="localhost")
    connection.sendall(b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%b\r\n" % (len(password), password))
    print(json.dumps({"answer": connection.makefile().readline().strip()}))
"""
_REFUSED: Mapping[str, tuple[str, ...]] = MappingProxyType({
    POSTGRESQL: ("password authentication failed", "is not permitted to log in"),
    REDIS: ("WRONGPASS",),
})  # fmt: skip
WHO_IS_LET_IN: Mapping[str, str] = MappingProxyType({
    POSTGRESQL: "pg_hba.conf", REDIS: "/etc/redis/users.acl",
})  # fmt: skip
"""Where each kind of database keeps who is let in, for a person who has to look."""


@dataclass(frozen=True)
class Database:
    """One that lets a user in, on the server that it is on."""

    user: DatabaseUser
    server: ServerOutput

    @property
    def kind(self) -> str:
        """The role that made it."""
        return self.user.role


def objection(fleet: Fleet, database: Database, shell: HostShell, login: Login) -> str:
    """Log in; '' where that works in the place of the user, else what is said against it."""
    if database.kind == REDIS:
        words = ["sudo", "-n", "-u", "redis", "python3", "-I", "-c", _AUTHENTICATE]
        said = _asked(shell, database.server, words, {"password": login.password})
        return "" if said.get("answer") == "+OK" else str(said)
    asked = {"port": _port(fleet, database.server), "user": login.name, "password": login.password}
    said = _asked(shell, database.server, ["python3", "-I", "-c", _LOG_IN], asked)
    return "" if said.get("acts_as") == database.user.name else str(said)


def is_refusal(database: Database, said: str) -> bool:
    """Whether what was said means that this login is not let in, rather than that nothing could be asked."""
    return any(words in said for words in _REFUSED[database.kind])


def sessions(fleet: Fleet, database: Database, shell: HostShell, login: Login) -> list[str]:
    """Who is still connected by a login after a wait; nobody is asked for at Redis.

    Redis does not know with which password a connection was opened, and shuts none when the password goes.
    """
    if database.kind == REDIS:
        return []
    asked = {
        "port": _port(fleet, database.server),
        "login": login.name,
        "seconds": _LONGEST_SESSION_SECONDS,
    }
    words = ["sudo", "-n", "-u", "postgres", "python3", "-I", "-c", _SESSIONS]
    longest = _LONGEST_SESSION_SECONDS + _SECONDS
    done = shell.run(database.server, words, timeout=longest, stdin=json.dumps(asked))
    return [str(each) for each in answer(database.server.name, done.stdout, list)]


def _asked(
    shell: HostShell, server: ServerOutput, words: list[str], asked: Mapping[str, Any]
) -> dict[str, Any]:
    done = shell.run(server, words, timeout=_SECONDS, stdin=json.dumps(asked))
    return answer(server.name, done.stdout, dict)


def _port(fleet: Fleet, server: ServerOutput) -> int:
    role = fleet.servers[server.group].role(POSTGRESQL)
    port = role.variables.get("port") if role else None
    return port if isinstance(port, int) else _PORT
