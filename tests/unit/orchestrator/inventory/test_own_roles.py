"""Roles of the project: the same checks as Steward's own, and a refusal of what cannot be checked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.convergence.inputs import playbooks_digest
from orchestrator.inventory.roles import RoleCatalog
from orchestrator.verification.expectations import expectations
from orchestrator.verification.testinfra_host import _PROBES
from tests.unit.orchestrator.samples import fleet

BUILT_IN = Path(__file__).parents[4] / "playbooks" / "roles"
EXAMPLE = Path(__file__).parents[3] / "fleets" / "own" / "roles"
FLEET = """
version: 1
client: acme
environment: own
owner: a@acme.example
provider: local
region: local-1
profile: demo
networks: {lan: {cidr: 10.44.0.0/24}}
servers:
  web:
    size: small
    network: lan
    roles: [{greeting: {text: hello}}]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "roles")
    return tmp_path / "roles"


def test_an_own_role_is_judged_by_its_specification(own: Path) -> None:
    catalog = RoleCatalog(BUILT_IN, own)
    assert catalog.own("greeting")
    assert not catalog.own("nginx")
    assert catalog.check("greeting", {"text": "hello"}) == []
    assert catalog.check("greeting", {"txt": "hello"})[0][1].endswith("Did you mean 'text'?")
    assert "a whole number" in catalog.check("greeting", {"port": "x"})[0][1]
    assert "Did you mean 'greeting'" in catalog.check("greetin", {})[0][1]


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("meta/argument_specs.yml", None, "has no meta/argument_specs.yml"),
        ("tasks/main.yml", None, "has no tasks/main.yml"),
        ("meta/argument_specs.yml", "argument_specs: {main: 5}", "say argument_specs"),
        ("meta/argument_specs.yml", "a: [", "is not valid YAML"),
        ("tasks/main.yml", "- name: x\n  a: [\n", "tasks/main.yml is not valid YAML"),
        ("handlers/main.yml", "- a: [\n", "handlers/main.yml is not valid YAML"),
        (
            "tasks/main.yml",
            "- name: Greet\n  ansible.builtin.cpoy:\n    content: x\n    dest: /srv/x\n",
            "tasks/main.yml:2: Ansible has no module 'ansible.builtin.cpoy'.*Did you mean 'copy'",
        ),
        ("meta/argument_specs.yml", "argument_specs: {main: {options: {}}}", "short_description says"),
        (
            "meta/argument_specs.yml",
            "argument_specs: {main: {short_description: x, options: {port: {type: int, description: x}}}}",
            "'port' must begin with 'greeting_'",
        ),
        (
            "meta/argument_specs.yml",
            "argument_specs: {main: {short_description: x, options: {greeting_port: {type: int}}}}",
            "must have a description and a type",
        ),
        ("defaults/main.yml", "greeting_txt: x", "'greeting_txt' is not in.*Did you mean 'greeting_text'"),
        ("meta/checks.yml", "checks: [{service: a, timer: b}]", "say exactly one of"),
        (
            "meta/checks.yml",
            "checks: [{listening: {variable: prt}}]",
            "no variable 'prt'.*Did you mean 'port'",
        ),
        ("meta/checks.yml", "checks: [{sevice: a}]", "sevice.*not permitted"),
        ("task/main.yml", "[]", "'task' is no part of a role; .*Did you mean 'tasks'"),
    ],
)
def test_a_role_that_cannot_be_checked_is_refused(
    own: Path, path: str, content: str | None, told: str
) -> None:
    import re

    place = own / "greeting" / path
    if content is None:
        place.unlink()
    else:
        place.parent.mkdir(exist_ok=True)
        place.write_text(content)
    found = [text for _, text in RoleCatalog(BUILT_IN, own).check("greeting", {})]
    assert any(re.search(told, text) for text in found), found
    assert all("greeting" in text for text in found)


def test_an_own_role_takes_no_name_of_ours(own: Path) -> None:
    (own / "greeting").rename(own / "nginx")
    catalog = RoleCatalog(BUILT_IN, own)
    assert "takes the name of one of Steward's" in catalog.check("nginx", {})[0][1]
    assert catalog.folder("nginx") == BUILT_IN / "nginx"


def test_an_own_role_is_verified_by_its_own_checks(own: Path) -> None:
    wanted = expectations(fleet(FLEET), "web", RoleCatalog(BUILT_IN, own))
    mine = {each.check: each for each in wanted if each.check.startswith("greeting.")}
    assert mine["greeting.service.1"].subject == "greeting"
    assert mine["greeting.listening.2"].subject == "8085"  # from the defaults
    assert mine["greeting.file.4"].argument == '{"mode": "0644", "owner": "root"}'
    assert {each.probe for each in mine.values()} <= set(_PROBES)


def test_a_change_in_an_own_role_changes_what_hosts_are_held_against(own: Path) -> None:
    before = playbooks_digest(own)
    (own / "greeting" / "tasks" / "main.yml").write_text("---\n[]\n")
    assert playbooks_digest(own) != before


def test_a_project_without_own_roles_has_none(tmp_path: Path) -> None:
    assert RoleCatalog(BUILT_IN, tmp_path / "roles").names() == RoleCatalog(BUILT_IN).names()


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"password": "clear-text-in-a-file"}, "is a secret"),
        ({"password": 5}, "must be text"),
        ({"password": {"env": "X"}, "further_passwords": ["clear-text-in-a-file"]}, "is a secret"),
        ({"password": {"env": "X"}, "further_passwords": [{"login": "x"}]}, "that anybody may know"),
    ],
)
def test_a_secret_in_the_fleet_file_is_refused(variables: dict[str, object], told: str) -> None:
    assert any(told in text for _, text in RoleCatalog(BUILT_IN).check("redis", variables))


def test_a_reference_stands_for_a_secret_at_any_depth() -> None:
    catalog = RoleCatalog(BUILT_IN)
    assert catalog.check("redis", {"password": {"env": "CACHE"}, "further_passwords": [{"env": "OLD"}]}) == []
    assert catalog.check("postgresql", {"users": [{"name": "a", "password": {"file": "a.txt"}}]}) == []
    (found,) = catalog.check("postgresql", {"users": [{"name": "a", "password": "clear"}]})
    assert found[0] == "users"
    assert found[1].startswith("password is a secret")
