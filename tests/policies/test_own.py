"""A user's own rules: loaded by path, joined with ours, held against their cases, and judged by the pack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.cases import try_cases
from policies.model import Enforcement, PackError
from policies.own import load_own
from policies.pack import all_rules, load_pack

CATALOG = """\
- id: naming.server-says-its-client
  title: A server's name begins with its client
  rationale: Names meet in one monitoring system.
  severity: low
  kind: resource
  scope: subject
  subjects: [server]
  controls: {}
  params: {least_length: {type: integer, default: 4, description: shortest name}}
  on_unknown: block
  remediation: Rename the server.
  owner: operations
  reviewed_on: 2026-11-25
  version: 1
"""
MODULE = """\
from policies.model import Finding


def server_says_its_client(subject, params):
    client = subject.facts.table("tags").text("client")
    if not subject.name.startswith(client):
        yield Finding("name", "does not begin with the client", subject.name, f"{client}-…")
    if len(subject.name) < params.whole("least_length"):
        yield Finding("name", "is too short", subject.name, "4 characters")
"""
CASE = """\
judge: NAME
subjects: [{type: "local:index:Server", name: NAME, properties: VALUE}]
expect: {state: STATE}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one room of one rule, and its cases."""
    write(tmp_path, CATALOG, MODULE)
    cases = tmp_path / "cases" / "naming.server-says-its-client"
    cases.mkdir(parents=True)
    for state, name, value in (
        ("pass", "acme-web", "{}"),
        ("fail", "web-1", "{}"),
        ("unknown", "web-1", "!unknown ''"),
    ):
        text = CASE.replace("NAME", name).replace("VALUE", value).replace("STATE", state)
        path = {"fail": "name", "unknown": "all properties", "pass": ""}[state]
        text = text.replace(f"state: {state}", f"state: {state}, path: '{path}'")
        (cases / f"{state}.yaml").write_text(text)
    return tmp_path


def write(folder: Path, catalog: str, module: str, room: str = "naming") -> None:
    (folder / f"{room}.yaml").write_text(catalog)
    (folder / f"{room}.py").write_text(module)


def test_own_rules_come_after_ours(folder: Path) -> None:
    pack = load_pack(folder)
    assert [rule.id for rule in pack.rules] == [
        *(rule.id for rule in all_rules()),
        "naming.server-says-its-client",
    ]
    assert pack.own == {"naming.server-says-its-client"}
    assert {profile.enforcement("naming.server-says-its-client") for profile in pack.profiles.ordered} == {
        Enforcement.MANDATORY
    }


def test_a_catalog_may_only_advise(folder: Path) -> None:
    write(folder, CATALOG + "  enforcement: advisory\n", MODULE)
    levels = {
        each.enforcement("naming.server-says-its-client") for each in load_pack(folder).profiles.ordered
    }
    assert levels == {Enforcement.ADVISORY}


def test_without_a_folder_there_are_none(tmp_path: Path) -> None:
    assert load_own(None).rules == load_own(tmp_path / "gone").rules == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  severity: low\n", "", "rules/naming.yaml[0]: missing: severity"),
        ("severity: low", "severity: lowly", "rules/naming.yaml[0].severity:"),
        ("id: naming.server-says", "id: network.server-says", "is not of the room 'naming'"),
        ("id: naming.server-says-its-client", "id: naming.Server", "not of the form naming.what-holds"),
        ("server-says-its-client", "server-says", "has no function server_says in rules/naming.py"),
        ("version: 1", "version: 1\n  enforcement: disabled", "expected mandatory, advisory; got 'disabled'"),
        ("controls: {}", "controls: {soc-2: ['X9']}", "naming.server-says-its-client: soc-2 X9"),
        ("- id", "  id", "expected a list of rules"),
        ("subjects: [server]", "subjects: [host]", "expected some of"),
    ],
)
def test_a_mistake_in_a_catalog_is_named(folder: Path, old: str, new: str, told: str) -> None:
    assert old in CATALOG
    write(folder, CATALOG.replace(old, new), MODULE)
    with pytest.raises(PackError, match=r"^rules") as error:
        load_pack(folder)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("def x(:", "rules/naming.py: line 1 cannot be loaded: SyntaxError"),
        ("import nowhere_at_all", "cannot be loaded: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("\n1 / 0", "rules/naming.py: line 2 cannot be loaded: ZeroDivisionError"),
        ("server_says_its_client = 5", "has no function server_says_its_client"),
    ],
)
def test_a_module_that_does_not_load_is_named(folder: Path, module: str, told: str) -> None:
    write(folder, CATALOG, module)
    with pytest.raises(PackError) as error:
        load_pack(folder)
    assert told in str(error.value)


def test_own_rules_take_no_room_of_ours_and_no_half_room(folder: Path) -> None:
    write(folder, CATALOG.replace("naming.", "network."), MODULE, "network")
    with pytest.raises(PackError, match="and not network, servers, storage"):
        load_own(folder)
    (folder / "network.py").unlink()
    with pytest.raises(PackError, match=r"rules/network.yaml: has no network.py beside it"):
        load_own(folder)


def test_cases_are_tried_and_missing_ones_told(folder: Path) -> None:
    pack = load_pack(folder)
    tried = try_cases(folder / "cases", pack)
    assert [(each.case, each.differences) for each in tried] == [("fail", ()), ("pass", ()), ("unknown", ())]

    (folder / "cases" / "naming.server-says-its-client" / "unknown.yaml").unlink()
    (folder / "cases" / "naming.gone").mkdir()
    write(folder, CATALOG, MODULE.replace("not subject.name", "subject.name"))
    told = {
        (each.rule, each.case): each.differences for each in try_cases(folder / "cases", load_pack(folder))
    }
    assert "expected fail, was pass" in told["naming.server-says-its-client", "fail"][0]
    assert "there is no such case" in told["naming.server-says-its-client", "unknown"][0]
    assert told["naming.gone", "*"] == ("there is no own rule of that name",)


def test_the_pack_judges_by_own_rules(folder: Path, start_pack: Callable[..., Any]) -> None:
    from tests.policies.test_pack_protocol import request, said

    pack = start_pack(env={"STEWARD_OWN_RULES": str(folder)})
    assert "naming.server-says-its-client" in said(pack.Analyze(request("local:index:Server", "web-1")))
    assert "naming.server-says-its-client" not in said(pack.Analyze(request("local:index:Server", "acme-1")))


def test_a_pack_that_cannot_load_own_rules_does_not_start(
    folder: Path, start_pack: Callable[..., Any]
) -> None:
    write(folder, CATALOG, "1 / 0")
    with pytest.raises(ValueError, match="invalid literal"):  # no port on its first line
        start_pack(env={"STEWARD_OWN_RULES": str(folder)})
