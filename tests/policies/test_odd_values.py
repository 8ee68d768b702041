"""Every key of every file that governs, with every odd value: it is read, or refused by the file's name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from policies.model import PackError
from policies.own import Running, load_own
from policies.pack import all_rules
from policies.profiles import read_minimum, read_profile
from policies.reference.budget import read_ceilings
from policies.waivers import parse_waivers
from tests.policies.references import MINIMUM, WAIVER
from tests.policies.test_own import CATALOG, MODULE
from tests.policies.test_reference import BUDGET

ODD: Final[tuple[Any, ...]] = (
    None, True, 0, -1.5, "", "x", "\\", [], [[1]], [{"a": 1}], ["x", None], {}, {"a": {"b": 1}}, {1: 2},
    {"a": []}, date(2026, 1, 1), datetime(2026, 1, 1, 1, tzinfo=UTC), "x" * 2_000, [["x"] * 400],
)  # fmt: skip
PROFILE = """\
name: office
description: d
after: demo
enforcement:
  default: mandatory
  rules: {quality.service-has-owner: advisory}
  phases: {live: {rules: {quality.service-has-owner: mandatory}}}
params: {network.private-range: {widest_prefix_ipv4: 18}}
phase_params: {live: {network.private-range: {widest_prefix_ipv4: 20}}}
"""


def mutants(value: Any) -> Iterator[Any]:
    """The document with one value replaced, wherever it stands, and with one key that is odd."""
    yield from ODD
    if isinstance(value, dict):
        for key in value:
            yield from ({**value, key: each} for each in mutants(value[key]))
            rest = {other: each for other, each in value.items() if other != key}
            yield from (rest, {**rest, "": value[key]}, {**rest, 7: value[key]}, {**rest, None: value[key]})
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in mutants(each))


def profile(path: Path) -> object:
    return read_profile(path, {rule.id: rule for rule in all_rules()})


def catalog(path: Path) -> object:
    path.with_suffix(".py").write_text(MODULE)
    return load_own(path.parent, running=Running.NOT)


def waiver(path: Path) -> object:
    return parse_waivers([(path.name, path.read_bytes())])


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("naming.yaml", CATALOG, catalog),
        ("office.yaml", PROFILE, profile),
        ("minimum.yaml", MINIMUM, lambda path: read_minimum(path, ["demo", "standard", "strict"])),
        ("budget.yaml", BUDGET, lambda path: read_ceilings(path.parent)),
        ("W-1.yaml", WAIVER, waiver),
    ],
    ids=["catalog", "profile", "minimum", "budget", "waiver"],
)
def test_what_governs_is_read_or_refused(
    name: str, text: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    path, refused, tried = tmp_path / name, 0, 0
    for document in mutants(yaml.safe_load(text)):
        tried += 1
        path.write_text(yaml.dump(document, Dumper=_Plain))
        try:
            read(path)
        except PackError as problem:
            refused += 1
            said = str(problem)
            assert name.partition(".")[0] in said, json.dumps(said)
            assert len(said) < 1_500, said[:200]
    assert refused > tried / 3


class _Plain(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:  # one value stands in many places
        return True
