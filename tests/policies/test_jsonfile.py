"""JSON that judges or is judged says each thing once, in numbers; else it is refused by place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policies import jsonfile
from policies.baseline import parse_baseline
from policies.model import PackError
from policies.verdicts import parse_verdicts
from tests.policies.test_seeded import SEEDED, check

DEEP = '{"a": ' * 300 + '{"b": 1, "b": 2}' + "}" * 300


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"steps": [1], "steps": []}', "steps: the key stands twice"),
        ('{"a": [{"b": {"c": 1, "c": 1}}]}', "a[0].b.c: the key stands twice"),
        ('{"a": [0, NaN]}', "a[1]: NaN is no number"),
        ('{"count_7_days": 1e400}', "count_7_days: 1e400 is no number"),
        ("-Infinity", "the document: -Infinity is no number"),
        (DEEP, "a key stands twice"),
    ],
)
def test_what_stands_twice_or_is_no_number_is_told_by_place(text: str, told: str) -> None:
    for content in (text, text.encode()):
        with pytest.raises(jsonfile.JsonError) as error:
            jsonfile.parsed(content)
        assert told in str(error.value)


def test_whole_json_reads_as_it_always_did() -> None:
    text = json.dumps({"a": [1, 2.5, "x", None, True, {"b": {}}], "é": 10**30})
    assert jsonfile.parsed(text) == json.loads(text)


def test_what_governs_says_each_thing_once() -> None:
    twice = b'{"schema": "steward.policy-baseline/1", "entries": [], "entries": [{}]}'
    with pytest.raises(PackError, match=r"baseline\.json: entries: the key stands twice"):
        parse_baseline(twice, "baseline.json")
    with pytest.raises(PackError, match="waivers: the key stands twice"):
        parse_verdicts(b'{"waivers": {}, "waivers": {}}', "verdicts.json")


@pytest.mark.parametrize("name", ["preview", "state", "backups", "costs", "expected", "vault"])
def test_no_file_that_is_judged_says_a_thing_twice(name: str, tmp_path: Path) -> None:
    text = (SEEDED / "good" / f"{name}.json").read_text("utf-8").rstrip().removesuffix("}")
    key = next(iter(json.loads(text + "}")))
    path = tmp_path / f"{name}.json"
    path.write_text(f'{text}, "{key}": []}}', "utf-8")
    option = "--expected" if name == "expected" else "--from"
    facts = ("--from", SEEDED / "good" / "facts") if name == "expected" else ()

    code, refused = check(*facts, option, path)

    assert (code, refused["schema"]) == (2, "steward.error/1")
    assert f"{key}: the key stands twice" in refused["message"]
    assert name in refused["place"]
