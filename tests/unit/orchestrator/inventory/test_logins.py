"""Users whose passwords Steward makes: which logins a database gets, who is told, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from orchestrator.inventory.logins import (
    check_logins,
    database_users,
    further_passwords,
    groups_told,
    with_logins,
)
from orchestrator.inventory.supplies import Login
from stacks.fleet.loader import parse
from stacks.fleet.model import Fleet
from stacks.fleet.server import Role
from tests.unit.orchestrator.samples import HEAD

MADE = {"name": "shop_app", "password": {"generated": "shop_app"}}
OWN = {"name": "reports", "password": {"env": "REPORTS"}}


def fleet(user: str = "generated: shop_app", told: str = "login: shop_app") -> Fleet:
    text = f"""
servers:
  app:
    size: small
    network: app
    roles: [{{app: {{name: shop, command: [x], environment: {{WHO: {{{told}}}}}}}}}]
  db:
    size: small
    network: app
    roles:
      - postgresql:
          users:
            - {{name: shop_app, password: {{{user}}}}}
            - {{name: reports, password: {{env: REPORTS}}}}
  web: {{size: small, network: app, roles: [nginx]}}
"""
    return parse((HEAD + text).encode(), "fleet.yaml")


def test_users_and_those_who_are_told_of_them() -> None:
    assert [(user.name, user.group, user.generated) for user in database_users(fleet())] == [
        ("shop_app", "db", True),
        ("reports", "db", False),
    ]
    assert groups_told(fleet(), ["shop_app"]) == ["app", "db"]
    assert groups_told(fleet(told="env: OTHER"), ["shop_app"]) == ["db"]
    assert check_logins(fleet()) == []


@pytest.mark.parametrize(
    ("user", "told", "said"),
    [
        ("generated: other", "generated: other", "bears another name.*Write {generated: shop_app}"),
        ("generated: shop_app", "login: shop", "under this name.*got '?{login: shop}.*Known: shop_app"),
        ("env: PASSWORD", "login: shop_app", "Known: none"),
    ],
)
def test_names_that_lead_nowhere_are_told(user: str, told: str, said: str) -> None:
    (problem,) = check_logins(fleet(user, told))
    assert re.search(said, str(problem)), problem


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        (["shop_app"], [{"name": "shop_app", "password": "of shop_app"}]),
        (["shop_app_2"], [
            {"name": "shop_app"}, {"name": "shop_app_2", "password": "of shop_app_2", "acts_as": "shop_app"},
        ]),
        (["shop_app_2", "shop_app"], [
            {"name": "shop_app", "password": "of shop_app"},
            {"name": "shop_app_2", "password": "of shop_app_2", "acts_as": "shop_app"},
        ]),
    ],
)  # fmt: skip
def test_a_database_gets_the_logins_that_are_open(opened: list[str], expected: list[dict[str, Any]]) -> None:
    def logins(name: str) -> Sequence[Login]:
        assert name == "shop_app"
        return [Login(each, f"of {each}") for each in opened]

    assert with_logins("postgresql", "users", [MADE, OWN], logins) == [*expected, OWN]
    assert with_logins("redis", "users", [MADE, OWN], logins) == [MADE, OWN]


CACHE = """
servers:
  app:
    size: small
    network: app
    roles: [{app: {name: shop, command: [x], environment: {WHO: {%s}}}}]
  cache: {size: small, network: app, roles: [{redis: {password: {%s}}}]}
"""


def cached(kept: str = "generated: cache", told: str = "generated: cache") -> Fleet:
    return parse((HEAD + CACHE % (told, kept)).encode(), "fleet.yaml")


def test_redis_lets_in_by_a_password_without_a_name() -> None:
    found = [(user.name, user.group, user.role, user.generated) for user in database_users(cached())]
    assert found == [("cache", "cache", "redis", True)]
    assert [(user.name, user.generated) for user in database_users(cached("env: CACHE"))] == [
        ("redis", False)
    ]
    assert groups_told(cached(), ["cache"]) == ["app", "cache"]
    assert check_logins(cached()) == []
    (problem,) = check_logins(cached(told="login: cache"))
    assert re.search("under this name.*Redis asks for no name", str(problem))


@pytest.mark.parametrize(
    ("name", "kept", "expected"),
    [
        ("redis", {"generated": "cache"}, ["of retiring"]),
        ("redis", {"env": "CACHE"}, []),
        ("redis", None, []),
        ("greeting", {"generated": "cache"}, []),
    ],
)
def test_redis_takes_a_second_password_while_one_follows_the_other(
    name: str, kept: dict[str, str] | None, expected: list[str]
) -> None:
    role = Role(name=name, variables={} if kept is None else {"password": kept})
    opened = [Login("cache_2", "of the one in use"), Login("cache", "of retiring")]
    assert further_passwords(role, lambda _: opened) == expected
    assert further_passwords(role, lambda _: opened[:1]) == []
