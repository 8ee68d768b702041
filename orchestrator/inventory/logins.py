"""Database users whose passwords Steward makes: two logins that take turns, and who is told of them. Pure.

PostgreSQL knows one password a role, so a user that is rotated has two: it logs in as itself or as `NAME_2`,
which acts as the first. Redis lets everybody in by a password, and may know several. While one follows the
other both are open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import InputError
from orchestrator.inventory.supplies import Login
from stacks.fleet.model import Fleet
from stacks.fleet.secret import GENERATED, LOGIN, Reference, reference, references
from stacks.fleet.server import Role

POSTGRESQL, REDIS = "postgresql", "redis"


@dataclass(frozen=True)
class DatabaseUser:
    """Whom a database lets in, as the fleet lists it; `password` is where its secret is kept."""

    name: str
    """Of a user of PostgreSQL; Redis has none, so there it is the secret's."""
    group: str
    password: Reference
    role: str = POSTGRESQL

    @property
    def generated(self) -> bool:
        """Whether Steward makes its password."""
        return self.password.kind == GENERATED


def database_users(fleet: Fleet) -> list[DatabaseUser]:
    """Every user with a password, by server group."""
    return [
        user
        for group, server in fleet.servers.items()
        for role in server.roles
        for user in _users_of(group, role)
    ]


def _users_of(group: str, role: Role) -> Iterator[DatabaseUser]:
    if role.name == POSTGRESQL:
        for user in _mappings(role.variables.get("users")):
            if (kept := reference(user.get("password"))) is not None:
                yield DatabaseUser(str(user.get("name")), group, kept)
    if role.name == REDIS and (kept := reference(role.variables.get("password"))) is not None:
        yield DatabaseUser(kept.place if kept.kind == GENERATED else REDIS, group, kept, REDIS)


def check_logins(fleet: Fleet) -> list[InputError]:
    """Passwords that are not named as their user, and logins of users that there are not."""
    users = [user for user in database_users(fleet) if user.generated and user.role == POSTGRESQL]
    problems = [
        InputError(
            fleet.stack, f"the password of the database user '{user.name}' bears another name",
            place=f"servers.{user.group}.roles.{POSTGRESQL}.users", got=str(user.password),
            next_step=f"Write {{generated: {user.name}}}: its two logins are named after the user.",
        )
        for user in users
        if user.password.place != user.name
    ]  # fmt: skip
    known = sorted({user.name for user in users})
    return problems + [
        InputError(
            fleet.stack, "no database user has a password that Steward makes under this name", got=str(each),
            next_step=f"Known: {', '.join(known) or 'none'}. It is a user of the role {POSTGRESQL} with "
            f"password: {{generated: {each.place}}}; Redis asks for no name.",
        )
        for each in fleet.secrets()
        if each.kind == LOGIN and each.place not in known
    ]  # fmt: skip


def groups_told(fleet: Fleet, names: Sequence[str]) -> list[str]:
    """Server groups with a role that is told of the login or the password of one of these users."""
    return [
        group
        for group, server in fleet.servers.items()
        if any(
            each.kind in (GENERATED, LOGIN) and each.place in names
            for role in server.roles
            for each in references(role.variables)
        )
    ]


def with_logins(role: str, key: str, value: Any, logins: Callable[[str], Sequence[Login]]) -> Any:
    """A role's variable; of postgresql's users, those with generated passwords as the logins open now."""
    if (role, key) != (POSTGRESQL, "users"):
        return value
    return [each for user in _mappings(value) for each in _opened(user, logins)]


def further_passwords(role: Role, logins: Callable[[str], Sequence[Login]]) -> list[str]:
    """What Redis takes beside the password in use, while one that Steward makes follows another."""
    kept = reference(role.variables.get("password")) if role.name == REDIS else None
    if kept is None or kept.kind != GENERATED:
        return []
    return [login.password for login in logins(kept.place)[1:]]


def _opened(user: Mapping[str, Any], logins: Callable[[str], Sequence[Login]]) -> Iterator[Mapping[str, Any]]:
    kept = reference(user.get("password"))
    if kept is None or kept.kind != GENERATED:
        yield user
        return
    opened = logins(kept.place)
    own = next((login.password for login in opened if login.name == user["name"]), None)
    rest = {key: value for key, value in user.items() if key != "password"}
    yield rest if own is None else {**rest, "password": own}
    for login in opened:
        if login.name != user["name"]:
            yield {"name": login.name, "password": login.password, "acts_as": user["name"]}


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in (value if isinstance(value, list) else []) if isinstance(each, Mapping))
