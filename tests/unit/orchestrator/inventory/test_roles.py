"""How a fleet may use roles, judged against the argument specifications of the real playbooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import ToolError
from orchestrator.inventory.roles import SET_BY_STEWARD, RoleCatalog, shown_message

ROLES = Path(__file__).parents[4] / "playbooks" / "roles"


@pytest.fixture(scope="module")
def catalog() -> RoleCatalog:
    return RoleCatalog(ROLES)


def test_the_backup_role_is_not_for_fleets(catalog: RoleCatalog) -> None:
    assert {"nginx", "postgresql", "backup_vault", "baseline"} <= catalog.names()
    assert "backup" not in catalog.names()


@pytest.mark.parametrize(
    ("role", "variables"),
    [
        ("nginx", {}),
        ("nginx", {"site": "debian-reference", "port": 8080}),
        ("postgresql", {"databases": ["shop"], "pgbench_scale": 1}),
        ("baseline", {"users": [{"name": "ann", "keys": ["ssh-ed25519 AAAA"], "sudo": True}]}),
        ("backup_vault", {}),
    ],
)
def test_proper_use_has_no_problem(catalog: RoleCatalog, role: str, variables: dict[str, Any]) -> None:
    assert catalog.check(role, variables) == []


@pytest.mark.parametrize(
    ("role", "variables", "at", "text"),
    [
        ("ngnix", {}, "", "no role named 'ngnix'; known: .*Did you mean 'nginx'"),
        ("backup", {}, "", "no role named 'backup'"),
        ("nginx\x1b[31m", {}, "", r"no role named 'nginx\\x1b\[31m'"),
        ("nginx", {"sit": "x"}, "sit", "role nginx has no variable 'sit'; .*Did you mean 'site'"),
        ("nginx", {"port": "many"}, "port", "must be a whole number, got 'many'"),
        ("nginx", {"port": "80"}, "port", "must be a whole number"),
        ("nginx", {"port": True}, "port", "must be a whole number"),
        ("nginx", {"port": None}, "port", "must be a whole number"),
        ("nginx", {"server_name": ["a"]}, "server_name", "must be text"),
        ("nginx", {"site": "warez"}, "site", "must be one of its choices, got 'warez'; known: debian-faq"),
        (
            "redis",
            {"password": {"env": "X"}, "eviction": "allkeys-lur"},
            "eviction",
            "Did you mean 'allkeys-lru'",
        ),
        (
            "postgresql",
            {"grants": [{"user": "a", "database": "b", "access": "raed"}]},
            "grants",
            r"^\[0\]\.access must be one of its choices, got 'raed'; .*write\. Did you mean 'read'\?$",
        ),
        ("nginx", {"sites": [{"nmae": "a"}]}, "sites", r"^\[0\] has no 'nmae'; known: .*Did you mean 'name'"),
        (
            "nginx",
            {"sites": [{"name": "a", "proxy": {"servers": "app", "prot": 80}}]},
            "sites",
            r"^\[0\]\.proxy has no 'prot'; known: port, servers\. Did you mean 'port'\?$",
        ),
        ("postgresql", {"databases": "a,b"}, "databases", "must be a list"),
        ("postgresql", {"databases": ["a", 5]}, "databases", "every element must be text, got '5'"),
        ("baseline", {"security_updates": "no"}, "security_updates", "must be true or false"),
        ("baseline", {"users": [{"name": "ann"}]}, "users", "missing required.*keys"),
        ("baseline", {"users": [{"name": "a", "keys": [], "su{{do": 1}]}, "users", "not a plain name"),
    ],
)
def test_wrong_use_is_told_at_its_place(
    catalog: RoleCatalog, role: str, variables: dict[str, Any], at: str, text: str
) -> None:
    problems = catalog.check(role, variables)
    import re

    assert [place for place, said in problems if re.search(text, said)] == [at], problems


@pytest.mark.parametrize("variable", sorted(SET_BY_STEWARD))
def test_what_steward_derives_cannot_be_set(catalog: RoleCatalog, variable: str) -> None:
    role = next(role for role in sorted(catalog.names(), key=len, reverse=True) if variable.startswith(role))
    short = variable.removeprefix(f"{role}_")
    assert any(
        place == short and "has no variable" in text for place, text in catalog.check(role, {short: "x"})
    )


def test_template_text_in_a_value_is_just_text(catalog: RoleCatalog) -> None:
    assert catalog.check("nginx", {"server_name": "{{ lookup('pipe', 'id') }}"}) == []


def test_nesting_is_bounded(catalog: RoleCatalog) -> None:
    deep: Any = "x"
    for _ in range(30):
        deep = {"k": deep}
    assert any("nested deeper" in text for _, text in catalog.check("baseline", {"users": [deep]}))


def test_all_problems_come_at_once(catalog: RoleCatalog) -> None:
    problems = catalog.check("nginx", {"sit": "x", "port": "y", "site": "z"})
    assert {place for place, _ in problems} == {"sit", "port", "site"}


def test_a_validators_message_is_one_printable_line() -> None:
    assert shown_message("a\nb\x1b[0m" + "c" * 999) == "a b [0m" + "c" * 293


@pytest.mark.parametrize(
    "text", ["- x", "argument_specs: {}", "argument_specs: {main: {options: [a]}}", ": : :"]
)
def test_a_broken_specification_is_named(tmp_path: Path, text: str) -> None:
    spec = tmp_path / "odd" / "meta" / "argument_specs.yml"
    spec.parent.mkdir(parents=True)
    spec.write_text(text)
    with pytest.raises(ToolError, match=r"argument_specs\.yml"):
        RoleCatalog(tmp_path).check("odd", {})


def test_a_required_variable_that_is_missing_is_told(tmp_path: Path) -> None:
    spec = tmp_path / "app" / "meta" / "argument_specs.yml"
    spec.parent.mkdir(parents=True)
    spec.write_text("argument_specs: {main: {options: {app_key: {type: str, required: true}}}}")
    assert RoleCatalog(tmp_path).check("app", {}) == [("key", "missing required arguments: key")]
