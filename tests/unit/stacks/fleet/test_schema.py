"""The JSON Schema that editors use: current, right about our fleets, and strict about typical mistakes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from ruamel.yaml import YAML

from stacks.fleet.schema import FILE_NAME, PART_FILE_NAME, fleet_schema, part_schema
from tests.unit.stacks.fleet.demo import ROOT, changed

VALIDATOR = Draft202012Validator(json.loads(fleet_schema()))
PARTS = Draft202012Validator(json.loads(part_schema()))


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_file_in_docs_is_the_generated_one() -> None:
    written = (ROOT / "docs/schemas" / FILE_NAME).read_text()
    assert written == fleet_schema(), "write it again: stacks.fleet.schema.fleet_schema()"
    written = (ROOT / "docs/schemas" / PART_FILE_NAME).read_text()
    assert written == part_schema(), "write it again: stacks.fleet.schema.part_schema()"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads(fleet_schema()))
    Draft202012Validator.check_schema(json.loads(part_schema()))


@pytest.mark.parametrize("path", sorted((ROOT / "stacks/fleets").glob("*.yaml")), ids=lambda path: path.name)
def test_our_fleets_are_valid_and_name_it(path: Any) -> None:
    text = path.read_text()
    assert text.startswith("# yaml-language-server: $schema=../../docs/schemas/fleet.v1.json\n")
    VALIDATOR.validate(read(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cost_centre:", "cost_center:"),
        ("version: 1", "version: 2"),
        ("environment: demo", "environment: pre-prod"),
        ("profile: demo", "profile: lax"),
        ("  app: {cidr", "  a pp: {cidr"),
        ("10.41.0.0/24", "10.41.0.0"),
        ("count: 2", "count: 0"),
        ("count: 2", "count: 10000"),
        ("size: small", "size: tiny"),
        ("port: 80}", "port: '80'}"),
        ("port: 80}", "prt: 80}"),
        ("- nginx: {site: debian-reference}", "- {nginx: , apache: }"),
        ("mount: /var/lib/postgresql", "mount: data"),
        ('"Sun 02:00-04:00"', "Sunday"),
        ('schedule: "30 1 * * *"', "schedule: daily"),
        ("rpo: 26h", "rpo: 26"),
        ("    rto: 30m\n", ""),
        ("owner: platform@acme.example", "owner: platform"),
    ],
)
def test_an_editor_marks_typical_mistakes(old: str, new: str) -> None:
    assert not VALIDATOR.is_valid(read(changed(old, new)))


CLIENT = """\
include: [common/shop.yaml]
client: globex
networks: {app: {cidr: 10.60.0.0/24}}
servers:
  web: {count: 4, size: null}
  cache: null
backups: {site: {keep: {daily: 14}}}
x-rules: &rules [1, 2]
"""


@pytest.mark.parametrize("text", [CLIENT, changed("client: acme\n", "")])
def test_an_editor_lets_a_part_say_what_is_its_own(text: str) -> None:
    PARTS.validate(read(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("count: 4", "count: 0"),
        ("count: 4", "cont: 4"),
        ("[common/shop.yaml]", "common/shop.yaml"),
        ("[common/shop.yaml]", "[/etc/passwd]"),
        ("daily: 14", "daily: x"),
        ("client: globex", "clint: globex"),
    ],
)
def test_an_editor_marks_typical_mistakes_of_a_part(old: str, new: str) -> None:
    assert old in CLIENT
    assert not PARTS.is_valid(read(CLIENT.replace(old, new)))


def test_a_whole_fleet_may_hold_anchors_and_include_nothing() -> None:
    VALIDATOR.validate(read(changed("version: 1", "x-a: &a {b: c}\nversion: 1")))
    assert not VALIDATOR.is_valid(read(changed("version: 1", "include: [a.yaml]\nversion: 1")))
