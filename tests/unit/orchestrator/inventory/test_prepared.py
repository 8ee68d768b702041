"""What a role says may be in the image of its servers, and that the roles we ship say it truly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.inventory.own_roles import shape_problems
from orchestrator.inventory.prepared import FILE, Contents, read_prepared
from orchestrator.inventory.roles import RoleCatalog

ROLES = Path(__file__).parents[4] / "playbooks" / "roles"
CATALOG = RoleCatalog(ROLES)


def said(folder: Path, text: str) -> Path:
    (folder / "meta").mkdir(parents=True)
    (folder / FILE).write_text(text)
    return folder


def variables(role: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted((ROLES / role / "vars").rglob("*.yml")):
        found |= yaml.safe_load(path.read_text())
    return found


def test_packages_follow_from_the_values_of_variables(tmp_path: Path) -> None:
    text = (
        "packages: [nginx]\nchoices: {site: {faq: [debian-faq]}, sites.manual: {book: [debian-handbook]}}\n"
    )
    prepared, wrong = read_prepared(said(tmp_path, text))
    assert (wrong, prepared.variables()) == ("", ("site", "sites"))
    assert prepared.contents(
        {"site": "faq", "sites": [{"manual": "book"}, {"root": "/var/www/x"}]}
    ) == Contents(frozenset({"nginx", "debian-faq", "debian-handbook"}))
    odd = {"site": {"env": "SECRET"}, "sites": "book"}
    assert prepared.contents(odd) == Contents(frozenset({"nginx"}))


def test_a_role_without_the_file_prepares_nothing(tmp_path: Path) -> None:
    assert read_prepared(tmp_path)[0].contents({"a": 1}) == Contents()


@pytest.mark.parametrize(
    "text",
    [
        "packages: ['nginx; rm -rf /']",
        "packages: ['-oAPT::Get::AllowUnauthenticated=1']",
        "packages: nginx",
        "boots: [evil.timer]",
        "boots: ['a b.service']",
        "choices: {'../x': {a: [b]}}",
        "packagse: [nginx]",
        "packages: [" + ", ".join(f"p{n}" for n in range(300)) + "]",
        "[",
        "- 1",
        "\x00",
        "[" * 5000,
    ],
)
def test_whatever_else_is_written_there_is_refused_by_name(tmp_path: Path, text: str) -> None:
    prepared, wrong = read_prepared(said(tmp_path, text))
    assert wrong
    assert "\n" not in wrong
    assert prepared.contents({}) == Contents()


def test_an_own_roles_file_is_judged_with_the_role(tmp_path: Path) -> None:
    role = said(tmp_path / "greeting", "packages: [figlet]\nchoices: {colour: {red: [lolcat]}}\n")
    (role / "tasks").mkdir()
    (role / "tasks" / "main.yml").write_text("[]")
    option = "{type: str, description: Its colour.}"
    options = f"{{short_description: Greets, options: {{greeting_color: {option}}}}}"
    (role / "meta" / "argument_specs.yml").write_text(f"argument_specs: {{main: {options}}}")
    (problem,) = shape_problems(role)
    assert "no variable 'colour' in this role" in problem
    assert "'color'" in problem
    (role / FILE).write_text("packages: [Figlet]\n")
    (problem,) = shape_problems(role)
    assert "meta/prepared.yml: packages.0" in problem


def test_ours_can_be_read_and_name_variables_that_they_have() -> None:
    for folder in ROLES.iterdir():
        prepared, wrong = read_prepared(folder)
        assert wrong == "", folder.name
        names = {name.removeprefix(f"{folder.name}_") for name in CATALOG.options(folder.name)}
        assert set(prepared.variables()) <= names, folder.name


def test_what_is_prepared_is_what_the_role_installs() -> None:
    """A package that the role does not install would stay on the server unasked."""
    nginx, base = variables("nginx"), variables("baseline")
    manuals = {name: frozenset(each["packages"]) for name, each in nginx["nginx__manuals"].items()}
    for name, packages in manuals.items():
        wanted = frozenset({"nginx", "openssl"}) | packages
        assert CATALOG.prepared("nginx", {"site": name}).packages == wanted
        assert CATALOG.prepared("nginx", {"site": name, "sites": [{"manual": name}]}).packages == wanted
    assert CATALOG.prepared("baseline", {}).packages == set(base["baseline__packages"])
    assert CATALOG.prepared("redis", {}).packages == set(variables("redis")["redis__packages"])
    vault = variables("backup_vault")["backup_vault__packages"]
    assert CATALOG.prepared("backup_vault", {}).packages == set(vault)


def test_nothing_that_makes_keys_or_clusters_is_prepared() -> None:
    every = [CATALOG.prepared(folder.name, {}).packages for folder in ROLES.iterdir()]
    assert not {"ssl-cert", "postgresql-15", "postgresql-common"} & frozenset[str]().union(*every)


def test_contents_of_several_roles_go_together() -> None:
    one, two = Contents(frozenset({"a"}), frozenset({"a.service"})), Contents(frozenset({"b"}))
    assert one.with_all([two]) == Contents(frozenset({"a", "b"}), frozenset({"a.service"}))
