"""Users whose passwords Steward makes: which logins a database gets, who is told, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from orchestrator.inventory.logins import check_logins, database_users, groups_told, with_logins
from orchestrator.inventory.supplies import Login
from stacks.fleet.loader import parse
from stacks.fleet.model import Fleet
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
