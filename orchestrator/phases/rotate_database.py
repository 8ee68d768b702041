"""rotate database: another login for a user of a database; the one before works until nobody uses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.errors import InputError, ToolError
from orchestrator.inventory.logins import POSTGRESQL, DatabaseUser, database_users
from orchestrator.inventory.supplies import Login
from orchestrator.phases.database_kinds import WHO_IS_LET_IN, Database, is_refusal, objection, sessions
from orchestrator.ports.hosts import HostShell
from orchestrator.ports.rotation import Rotation
from orchestrator.ports.run import Say
from stacks.fleet.model import Fleet
from stacks.outputs import ServerOutput

_NEEDED = """\
Write password: {generated: USER} there, and {login: USER} beside {generated: USER} where an application \
is told name and password of a user of PostgreSQL (docs/secrets.md). Or change the secret where you keep it, \
then steward configure: until that ends, new connections are refused."""
_AGAIN = "then run steward rotate database again."


def rotated_users(fleet: Fleet, say: Say) -> list[DatabaseUser]:
    """Those whose passwords Steward makes; raises InputError that says how to have one."""
    users = database_users(fleet)
    own = [f"{user.name}: {user.password}" for user in users if not user.generated]
    made = [user for user in users if user.generated]
    if not made:
        raise InputError(
            fleet.stack, "no user of a database has a password that Steward makes",
            got="; ".join(own) or "no users",
            place="servers.*.roles: postgresql.users, redis.password",
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
        for database in _databases(name, users, servers):
            if said := objection(fleet, database, shell, coming):
                raise ToolError(
                    database.server.name,
                    f"the database does not let in '{coming.name}' in the place of '{name}'",
                    got=said[:300],
                    next_step="The login in use still works. Run steward rotate database again.",
                )
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
        for database in _databases(name, users, servers):
            if left := sessions(fleet, database, shell, leaving):
                raise ToolError(
                    database.server.name, f"somebody is still connected as '{leaving.name}'",
                    got=", ".join(left),
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
        for database in _databases(name, users, servers):
            said = objection(fleet, database, shell, leaving)
            if not is_refusal(database, said):
                raise ToolError(
                    database.server.name, f"the old password of '{name}' was not seen refused",
                    got=said[:300] or "it is let in",
                    next_step=f"Look at {WHO_IS_LET_IN[database.kind]} there, {_AGAIN}",
                )  # fmt: skip
        rotation.logins.forget(name)
        rotation.note("database", name, "finished")
        gone.append(name)
        now = f"logs in as {rotation.logins.current(name).name}; " if _has_logins(name, users) else ""
        say(f"{name}: {now}the old password is refused")
    return gone


def _leaving(users: Sequence[DatabaseUser], rotation: Rotation, stage: str) -> Iterator[tuple[str, Login]]:
    """Each user whose rotation is at a stage, with the login before."""
    for name in sorted({user.name for user in users}):
        login = rotation.logins.leaving(name)
        if login is not None and rotation.logins.stage(name) == stage:
            yield name, login


def _databases(
    name: str, users: Sequence[DatabaseUser], servers: Sequence[ServerOutput]
) -> Iterator[Database]:
    for user in users:
        if user.name == name:
            yield from (Database(user, server) for server in servers if server.group == user.group)


def _has_logins(name: str, users: Sequence[DatabaseUser]) -> bool:
    """Redis knows passwords alone."""
    return any(user.name == name and user.role == POSTGRESQL for user in users)
