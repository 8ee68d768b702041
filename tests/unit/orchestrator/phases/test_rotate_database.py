"""Database logins: proven before they are used, waited for before they go, seen refused at the end."""

from __future__ import annotations

import json

import pytest

from orchestrator.errors import InputError, ToolError
from orchestrator.inventory.logins import database_users
from orchestrator.inventory.supplies import Login
from orchestrator.phases import rotate_database
from stacks.fleet.loader import parse
from stacks.fleet.model import Fleet
from tests.fakes import FakeShell
from tests.fakes_rotation import Rotating
from tests.unit.orchestrator.samples import FLEET, outputs

USERS = "roles: [{postgresql: {databases: [shop], port: 5433, users: [{name: shop_app, password: {%s}}]}}]"
BEFORE = "roles: [{postgresql: {databases: [shop], port: 5433}}]"
SERVERS = [server for server in outputs().servers if server.group == "db"]
FIRST, SECOND = Login("shop_app", "first password"), Login("shop_app_2", "second password")


def fleet(kept: str = "generated: shop_app") -> Fleet:
    assert BEFORE in FLEET
    return parse(FLEET.replace(BEFORE, USERS % kept).encode(), "fleet.yaml")


FLEETED = fleet()
ALL = database_users(FLEETED)


def quiet(_text: str) -> None:
    pass


def test_a_user_of_ones_own_is_told_what_is_needed() -> None:
    with pytest.raises(InputError, match=r"shop_app: \{env: MINE\}.*\{generated: USER\}.*steward configure"):
        rotate_database.rotated_users(fleet("env: MINE"), quiet)


def test_the_new_login_is_proven_used_and_the_old_one_seen_refused() -> None:
    made = Rotating()
    ports = made.ports()
    assert rotate_database.let_in(ALL, ports) == ["shop_app"]
    shell = FakeShell({"db-1: python3": json.dumps({"acts_as": "shop_app"})})
    assert rotate_database.switch(FLEETED, ALL, SERVERS, shell, ports) == ["shop_app"]
    assert json.loads(shell.fed[0]) == {"port": 5433, "user": "shop_app_2", "password": SECOND.password}
    assert SECOND.password not in "".join(shell.asked)
    shell = FakeShell({"db-1: sudo": "[]"})
    assert rotate_database.close(FLEETED, ALL, SERVERS, shell, ports) == ["shop_app"]
    assert json.loads(shell.fed[0])["login"] == "shop_app"
    refused = 'FATAL:  role "shop_app" is not permitted to log in'
    shell = FakeShell({"db-1: python3": json.dumps({"refused": refused})})
    assert rotate_database.shut_out(FLEETED, ALL, SERVERS, shell, ports, quiet) == ["shop_app"]
    assert json.loads(shell.fed[0])["password"] == FIRST.password
    assert (made.users.used, made.users.left) == (SECOND, None)
    assert [state for *_, state in made.noted] == ["begun", "switched", "finished"]


@pytest.mark.parametrize("said", [{"refused": "no"}, {"acts_as": "shop_app_2"}])
def test_a_login_that_does_not_work_is_never_used(said: dict[str, str]) -> None:
    made = Rotating()
    rotate_database.let_in(ALL, made.ports())
    with pytest.raises(ToolError, match="does not let in 'shop_app_2'"):
        rotate_database.switch(FLEETED, ALL, SERVERS, FakeShell({"python3": json.dumps(said)}), made.ports())
    assert (made.users.used, made.users.stage("")) == (FIRST, "begun")


def test_an_open_connection_keeps_the_old_login_open() -> None:
    made = Rotating()
    made.users.used, made.users.left = SECOND, FIRST
    with pytest.raises(ToolError, match=r"still connected as 'shop_app'.*10\.0\.0\.9"):
        rotate_database.close(FLEETED, ALL, SERVERS, FakeShell({"sudo": '["10.0.0.9"]'}), made.ports())
    assert made.users.stage("") == "switched"


@pytest.mark.parametrize("said", [{"acts_as": "shop_app"}, {"refused": "connection timed out"}])
def test_an_old_login_that_was_not_seen_refused_is_not_called_gone(said: dict[str, str]) -> None:
    made = Rotating()
    made.users.used, made.users.left, made.users.shut = SECOND, FIRST, True
    shell = FakeShell({"python3": json.dumps(said)})
    with pytest.raises(ToolError, match="was not seen refused"):
        rotate_database.shut_out(FLEETED, ALL, SERVERS, shell, made.ports(), quiet)
    assert made.users.stage("") == "closed"


def test_a_second_run_goes_on_where_one_stopped() -> None:
    made = Rotating()
    made.users.used, made.users.left = SECOND, FIRST
    ports, silent = made.ports(), FakeShell({})
    assert rotate_database.let_in(ALL, ports) == ["shop_app"]
    assert rotate_database.switch(FLEETED, ALL, SERVERS, silent, ports) == []
    assert rotate_database.shut_out(FLEETED, ALL, SERVERS, silent, ports, quiet) == []
    assert (made.noted, made.users.coming) == ([], None)


CACHE = BEFORE.replace("[{postgresql", "[{redis: {password: {generated: shop_app}}}, {postgresql")
CACHED = parse(FLEET.replace(BEFORE, CACHE).encode(), "fleet.yaml")
CACHE_USERS = database_users(CACHED)


def redis_says(text: str) -> FakeShell:
    """It is asked as its own account, which alone may read how to reach it."""
    return FakeShell({"db-1: sudo -n -u redis python3": json.dumps({"answer": text})})


def test_redis_takes_both_passwords_and_no_connection_is_waited_for() -> None:
    made, said = Rotating(), list[str]()
    ports = made.ports()
    assert rotate_database.let_in(CACHE_USERS, ports) == ["shop_app"]
    shell = redis_says("+OK")
    assert rotate_database.switch(CACHED, CACHE_USERS, SERVERS, shell, ports) == ["shop_app"]
    assert [json.loads(each) for each in shell.fed] == [{"password": SECOND.password}]
    assert SECOND.password not in "".join(shell.asked)
    silent = FakeShell({})
    assert rotate_database.close(CACHED, CACHE_USERS, SERVERS, silent, ports) == ["shop_app"]
    shell = redis_says("-WRONGPASS invalid username-password pair or user is disabled.")
    assert rotate_database.shut_out(CACHED, CACHE_USERS, SERVERS, shell, ports, said.append) == ["shop_app"]
    assert [json.loads(each) for each in shell.fed] == [{"password": FIRST.password}]
    assert said == ["shop_app: the old password is refused"]
    assert [state for *_, state in made.noted] == ["begun", "switched", "finished"]


@pytest.mark.parametrize("answer", ["-WRONGPASS no", "-LOADING Redis is loading the dataset in memory", ""])
def test_a_password_that_redis_does_not_take_is_never_used(answer: str) -> None:
    made = Rotating()
    rotate_database.let_in(CACHE_USERS, made.ports())
    with pytest.raises(ToolError, match="does not let in"):
        rotate_database.switch(CACHED, CACHE_USERS, SERVERS, redis_says(answer), made.ports())
    assert made.users.stage("") == "begun"


@pytest.mark.parametrize("answer", ["+OK", "-LOADING Redis is loading the dataset in memory"])
def test_an_old_password_that_redis_was_not_seen_to_refuse_is_not_called_gone(answer: str) -> None:
    made = Rotating()
    made.users.used, made.users.left, made.users.shut = SECOND, FIRST, True
    with pytest.raises(ToolError, match=r"was not seen refused.*users\.acl"):
        rotate_database.shut_out(CACHED, CACHE_USERS, SERVERS, redis_says(answer), made.ports(), quiet)
    assert made.users.stage("") == "closed"
