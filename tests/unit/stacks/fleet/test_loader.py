"""From a path to a fleet: values as YAML 1.2 writes them, lines of mistakes, and files that are none."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from stacks.fleet.loader import load
from stacks.fleet.mistakes import FleetInvalid
from tests.unit.stacks.fleet.demo import ROOT, TEXT, changed, fleet, refusal, told


@pytest.mark.parametrize(("name", "stack"), [("demo", "acme-demo"), ("vault", "acme-vault")])
def test_the_fleets_of_this_repository_are_valid(name: str, stack: str) -> None:
    path = ROOT / f"stacks/fleets/{name}.yaml"
    loaded = load(path)
    assert loaded.fleet.stack == stack
    assert loaded.digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_fleet_names_its_servers_and_plans() -> None:
    demo = fleet()
    assert list(demo.server_names()) == [("web", "web-1"), ("web", "web-2"), ("db", "db-1")]
    assert list(demo.plans_of("db")) == ["databases"]
    assert demo.groups_with_plan("site") == ("web",)


def test_variables_of_a_role_hold_json_values_and_no_more() -> None:
    text = "{a: 1, b: 1.5, c: true, d: null, e: [x], f: {g: 010}, h: yes, i: 2026-01-01, j: .nan, k: 1_000, "
    text += "l: '1', m: 1e2}"
    variables = fleet("{site: debian-reference}", text).servers["web"].roles[0].variables
    assert variables == {
        "a": 1, "b": 1.5, "c": True, "d": None, "e": ["x"], "f": {"g": 10}, "h": "yes", "i": "2026-01-01",
        "j": ".nan", "k": "1_000", "l": "1", "m": 100.0,
    }  # fmt: skip


def test_an_alias_repeats_what_it_names() -> None:
    assert fleet("site: debian-reference", "a: &a [1, 2], b: *a").servers["web"].roles[0].variables["b"] == [
        1,
        2,
    ]


def test_a_mistake_has_the_line_of_its_place_or_of_the_place_above() -> None:
    lines = TEXT.splitlines()
    wrong = refusal(changed("port: 80}", "port: 0}")).mistakes[0]
    missing = refusal(changed("    rto: 30m\n", "")).mistakes[0]
    assert lines[(wrong.line or 0) - 1].strip() == "- {from: anywhere, port: 80}"
    assert lines[(missing.line or 0) - 1].strip() == "site:"


def test_roles_are_judged_by_who_knows_them() -> None:
    asked: list[tuple[str, object]] = []

    def check(role: str, variables: object) -> list[tuple[str, str]]:
        asked.append((role, variables))
        return [("site", "no such site"), ("", "no such role")] if role == "nginx" else []

    with pytest.raises(FleetInvalid) as caught:
        load(ROOT / "stacks/fleets/demo.yaml", check)
    assert [role for role, _ in asked] == ["nginx", "postgresql"]
    assert [each.path for each in caught.value.mistakes] == [
        "servers.web.roles[0].nginx", "servers.web.roles[0].nginx.site"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            Path("/nowhere/fleet.yaml"),
            "cannot be read: No such file or directory. Name a fleet file that exists.",
        ),
        (Path("/"), "is not a file. Name a fleet file that exists."),
        (Path("/dev/zero"), "is not a file. Name a fleet file that exists."),
        (Path("a\0b"), "is not the name of a file. Name a fleet file that exists."),
    ],
)
def test_a_path_that_leads_to_no_file_is_refused(path: Path, text: str) -> None:
    with pytest.raises(FleetInvalid) as caught:
        load(path)
    assert text in str(caught.value)


def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FleetInvalid, match="is not a file"):
        load(tmp_path / "pipe")


def test_a_large_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FleetInvalid, match="larger than the 256 KiB"):
        load(tmp_path / "large.yaml")


def test_mistakes_of_reading_and_of_judging_come_together() -> None:
    mistakes = told(changed("client: acme", "client: acme\nclient: beta\nregion: x y"))
    assert [each.partition(":")[0] for each in mistakes] == ["client", "region", "region"]
    assert "is said twice" in mistakes[0]
