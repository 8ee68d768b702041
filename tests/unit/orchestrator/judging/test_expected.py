"""What fleet and roles say of each host."""

from __future__ import annotations

from typing import Any

from orchestrator.judging.expected import expected_hosts
from policies.evaluate import evaluate
from policies.model import State
from policies.profiles import load_profiles
from policies.rules import all_rules
from policies.subjects.hosts import host_subjects
from tests.fake_facts import facts_of
from tests.unit.orchestrator.bench import ROLES
from tests.unit.orchestrator.samples import FLEET, KEY, fleet, server

ANN = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnn ann"
USERS = FLEET.replace(
    "roles: [{postgresql: {databases: [shop], port: 5433}}]",
    "roles: [{postgresql: {databases: [shop], port: 5433}}, {redis: {}}, {baseline: {sysctl: "
    f"{{net.ipv4.ip_forward: 1}}, users: [{{name: ann, keys: ['{ANN}'], sudo: true}}, "
    f"{{name: bob, keys: ['{ANN}']}}]}}}}]",
)


def expected(text: str = FLEET, **outside: object) -> dict[str, dict[str, Any]]:
    servers = [server("web-1"), server("db-1", "10.41.0.13")]
    return expected_hosts(fleet(text), servers, [KEY], outside, ROLES)


def test_the_login_of_steward_is_an_administrator_of_every_host() -> None:
    (row,) = expected()["web-1"]["administrators"]
    assert (row["name"], row["keys"], row["sudo"]) == ("steward", [KEY], True)


def test_people_of_the_baseline_role_are_told_with_what_they_may() -> None:
    rows = expected(USERS)["db-1"]["administrators"]
    assert [(row["name"], row["sudo"]) for row in rows] == [("steward", True), ("ann", True), ("bob", False)]
    assert rows[1]["keys"] == [ANN]
    assert expected(USERS)["db-1"]["sysctl"] == {"net.ipv4.ip_forward": 1}
    assert expected(USERS)["web-1"]["sysctl"] == {}


def test_a_port_that_only_a_role_listens_on_is_not_open_to_others() -> None:
    rows = expected(USERS)["db-1"]["ports"]
    assert [(row["port"], row["opened"]) for row in rows] == [
        (5433, True),
        (9100, True),
        (22, False),
        (6379, False),
    ]


def test_what_nobody_saw_from_outside_is_left_out() -> None:
    seen = expected(**{"db-1": {"unknown": "no other server"}})
    assert "listening_outside" not in seen["web-1"]
    assert seen["db-1"]["listening_outside"] == {"unknown": "no other server"}


def judged(rule: str, told: dict[str, Any], **sections: object) -> list[State]:
    (subject,) = host_subjects(
        [facts_of("db-1", **sections)], stack="acme-demo",
        tags={"client": "acme", "environment": "demo", "profile": "demo"}, expected={"db-1": told},
    )  # fmt: skip
    rules = [each for each in all_rules() if each.id == rule]
    return [each.state for each in evaluate([subject], load_profiles(), rules=rules)]


def row(port: int, *, allowed: bool) -> dict[str, object]:
    return {"witness": "web-1", "protocol": "tcp", "port": port, "answer": "open", "allowed": allowed}


def test_a_port_behind_the_firewall_may_listen_and_may_not_answer() -> None:
    listening = [{"protocol": "tcp", "port": 6379, "address": "0.0.0.0", "process": "redis"}]
    told = expected(USERS, **{"db-1": [row(6379, allowed=False)]})["db-1"]
    assert judged("hardening.ports-allowed", told, listening=listening) == [State.PASS]
    assert judged("hardening.ports-reachable", told, listening=listening) == [State.FAIL]


def test_a_port_that_is_open_for_others_alone_may_not_answer_this_witness() -> None:
    for allowed, state in ((True, State.PASS), (False, State.FAIL)):
        told = expected(**{"db-1": [row(5433, allowed=allowed)]})["db-1"]
        assert judged("hardening.ports-reachable", told) == [state]


def test_who_may_log_in_without_sudo_is_no_administrator() -> None:
    def sudo(who: str) -> dict[str, object]:
        rule = {"who": who, "become": "ALL", "commands": ["ALL"], "line": f"{who} ALL=(ALL) NOPASSWD: ALL"}
        return {"installed": True, "not_understood": [], "rules": [rule]}

    told = expected(USERS)["db-1"]
    assert judged("access.sudo-listed", told, sudo=sudo("ann")) == [State.PASS]
    assert judged("access.sudo-listed", told, sudo=sudo("bob")) == [State.FAIL]
