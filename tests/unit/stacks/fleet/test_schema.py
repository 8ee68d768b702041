"""The JSON Schema that editors use: current, right about our fleets, and strict about typical mistakes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from ruamel.yaml import YAML

from stacks.fleet.schema import FILE_NAME, fleet_schema
from tests.unit.stacks.fleet.demo import ROOT, changed

VALIDATOR = Draft202012Validator(json.loads(fleet_schema()))


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_file_in_docs_is_the_generated_one() -> None:
    written = (ROOT / "docs/schemas" / FILE_NAME).read_text()
    assert written == fleet_schema(), "write it again: stacks.fleet.schema.fleet_schema()"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads(fleet_schema()))


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
