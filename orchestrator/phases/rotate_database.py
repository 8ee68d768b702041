"""rotate database: another login for a user of PostgreSQL; the one before works until nobody uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from orchestrator.errors import InputError, ToolError
from orchestrator.host_answer import answer
from orchestrator.inventory.logins import DatabaseUser, database_users
from orchestrator.inventory.supplies import Login
from orchestrator.ports.hosts import HostShell
from orchestrator.ports.rotation import Rotation
from orchestrator.ports.run import Say
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
_NEEDED = """\
Write password: {generated: USER} there, and {login: USER} beside {generated: USER} where an application \
is told name and password (docs/secrets.md). Or change the secret where you keep it, then steward configure: \
until that ends, new connections are refused."""
_AGAIN = "then run steward rotate database again."
_REFUSED = ("password authentication failed", "is not permitted to log in")


def rotated_users(fleet: Fleet, say: Say) -> list[DatabaseUser]:
    """Those whose passwords Steward makes; raises InputError that says how to have one."""
    users = database_users(fleet)
    own = [f"{user.name}: {user.password}" for user in users if not user.generated]
    made = [user for user in users if user.generated]
    if not made:
        raise InputError(
            fleet.stack, "no user of a database has a password that Steward makes",
            got="; ".join(own) or "no users", place="servers.*.roles.postgresql.users",
            next_step=_NEEDED,
        )  # fmt: skip
    for each in own:
        say(f"{each} is kept by you and stays as it is")
    return made


def let_in(users: Sequence[DatabaseUser], rotation: Rotation) -> list[str]:
    """A login to come for each user without one; returns the names of all users that are being rotated."""
    names = sorted({user.name for user in users})
    for name in names:
        if rotation.logins.stage(name) == "resting":
            rotation.logins.prepare(name)
            rotation.note("database", name, "begun")
    return names


def switch(
    fleet: Fleet,
    users: Sequence[DatabaseUser],
    servers: Sequence[ServerOutput],
    shell: HostShell,
    rotation: Rotation,
) -> list[str]:
    """Log in to every database with the login to come, then put that to use; an error leaves both open."""
    switched = []
    for name in sorted({user.name for user in users}):
        if rotation.logins.stage(name) != "begun":
            continue
        coming = rotation.logins.prepare(name)
        for server in _servers_of(name, users, servers):
            said = _log_in(shell, server, _port(fleet, server), coming)
            if said.get("acts_as") != name:
                raise ToolError(
                    server.name, f"the database does not let in '{coming.name}' in the place of '{name}'",
                    got=str(said)[:300],
                    next_step="The login in use still works. Run steward rotate database again.",
                )  # fmt: skip
        rotation.logins.promote(name)
        rotation.note("database", name, "switched")
        switched.append(name)
    return switched


def close(
    fleet: Fleet,
    users: Sequence[DatabaseUser],
    servers: Sequence[ServerOutput],
    shell: HostShell,
    rotation: Rotation,
) -> list[str]:
    """Wait until nobody is connected by the login before, then say that it is to be shut."""
    closed = []
    for name, leaving in _leaving(users, rotation, "switched"):
        for server in _servers_of(name, users, servers):
            asked = {"port": _port(fleet, server), "login": leaving.name, "seconds": _LONGEST_SESSION_SECONDS}
            words = ["sudo", "-n", "-u", "postgres", "python3", "-I", "-c", _SESSIONS]
            done = shell.run(
                server, words, timeout=_LONGEST_SESSION_SECONDS + _SECONDS, stdin=json.dumps(asked)
            )
            if left := answer(server.name, done.stdout, list):
                raise ToolError(
                    server.name, f"somebody is still connected as '{leaving.name}'",
                    got=", ".join(map(str, left)),
                    next_step=f"Both logins work. End those connections, {_AGAIN}",
                )  # fmt: skip
        rotation.logins.close(name)
        closed.append(name)
    return closed


def shut_out(
    fleet: Fleet,
    users: Sequence[DatabaseUser],
    servers: Sequence[ServerOutput],
    shell: HostShell,
    rotation: Rotation,
    say: Say,
) -> list[str]:
    """See every database refuse the login before with the password that it had."""
    gone = []
    for name, leaving in _leaving(users, rotation, "closed"):
        for server in _servers_of(name, users, servers):
            said = _log_in(shell, server, _port(fleet, server), leaving)
            if not any(words in said.get("refused", "") for words in _REFUSED):
                raise ToolError(
                    server.name, f"the old password of '{name}' was not seen refused", got=str(said)[:300],
                    next_step=f"Look at pg_hba.conf there, {_AGAIN}",
                )  # fmt: skip
        rotation.logins.forget(name)
        rotation.note("database", name, "finished")
        gone.append(name)
        say(f"{name}: logs in as {rotation.logins.current(name).name}; the old password is refused")
    return gone


def _leaving(users: Sequence[DatabaseUser], rotation: Rotation, stage: str) -> Iterator[tuple[str, Login]]:
    """Each user whose rotation is at a stage, with the login before."""
    for name in sorted({user.name for user in users}):
        login = rotation.logins.leaving(name)
        if login is not None and rotation.logins.stage(name) == stage:
            yield name, login


def _log_in(shell: HostShell, server: ServerOutput, port: int, login: Login) -> dict[str, Any]:
    """What came of it; the password goes in by standard input, where no list of processes shows it."""
    asked = json.dumps({"port": port, "user": login.name, "password": login.password})
    done = shell.run(server, ["python3", "-I", "-c", _LOG_IN], timeout=_SECONDS, stdin=asked)
    return answer(server.name, done.stdout, dict)


def _servers_of(
    name: str, users: Sequence[DatabaseUser], servers: Sequence[ServerOutput]
) -> list[ServerOutput]:
    groups = {user.group for user in users if user.name == name}
    return [server for server in servers if server.group in groups]


def _port(fleet: Fleet, server: ServerOutput) -> int:
    role = fleet.servers[server.group].role("postgresql")
    port = role.variables.get("port") if role else None
    return port if isinstance(port, int) else _PORT
