"""Files that govern: what nobody would see, or would read otherwise, is refused with file and line."""

from __future__ import annotations

import math
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from policies._yaml_parser import MOST_VALUES
from policies.catalog.schema import check_schema, check_value
from policies.facts import Facts, MalformedFactError, shown
from policies.model import PackError
from policies.own import load_own
from policies.waivers import parse_waivers
from policies.yamlfile import parse
from tests.policies.references import WAIVER
from tests.policies.test_own import CATALOG, MODULE

LINE = "rule: network.private-range"
TYPE = "type: integer, default: 4,"


def refused(text: str, place: str = "x.yaml") -> str:
    with pytest.raises(PackError, match=rf"^{place}: ") as error:
        parse(text.encode(), place)
    return str(error.value)


@pytest.mark.parametrize(
    "character", ["\r", "\x85", "\u2028", "\u2029", "\u202e", "\u200b", "\ufeff", "\x7f", "\u3164", "\xad"]
)  # fmt: skip
def test_a_character_that_nobody_sees_is_refused_by_line(character: str) -> None:
    told = refused(f"a: 1\n# approved{character}b: 2\n")
    assert f"line 2: the character U+{ord(character):04X}" in told


def test_files_of_windows_are_read() -> None:
    assert parse("\ufeffa: 1\r\nb: [x]\r\n".encode(), "x") == {"a": 1, "b": ["x"]}
    assert parse("é: ⚠ 見\t# x".encode(), "x") == {"é": "⚠ 見"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<<: {a: 1}", "line 1, column 1: a merge key"),
        ("a: {b: 1, <<: {c: 1}}", "a merge key"),
        ("a: 1\nb: !!bool maybe", "line 2, column 4: could not determine a constructor"),
        ("a: !!timestamp foo", "could not determine a constructor"),
        ("a:\n  - !own x", "line 2, column 5: could not determine a constructor for !own"),
        ("a: &x [*x]", "line 1, column 8: the alias x names nothing that ended before it"),
        ("a: =", "line 1, column 4: could not determine"),
        ("a: 1\nb: .nan", "line 2, column 4: expected a finite number as 4.2, got .nan"),
        ("a: -.INF", "expected a finite number as 4.2, got -.INF"),
        ("a: 1.0e+999", "expected a finite number as 4.2, got 1.0e+999"),
        ("a: 1:30.5", "expected a finite number"),
        ("a: 010", "expected a whole number as 42, got 010"),
        ("a: 1:30", "expected a whole number as 42, got 1:30"),
        ("a: " + "9" * 5_000, "expected a whole number"),
        ("a: 0x" + "f" * 5_000, "expected a whole number"),
        ("a: 1\nb: 2026-99-99", "line 2, column 4: 2026-99-99: month must be"),
        ("{[a]: 1}", "line 1, column 2"),
    ],
)
def test_odd_yaml_is_refused_by_line(text: str, told: str) -> None:
    said = refused(text)
    assert told in said
    assert len(said) < 500


def test_plain_numbers_are_read() -> None:
    assert parse(b"[1, -2, 1_000, 0x1F, 2.5, 1.5e+3, 0]", "x") == [1, -2, 1000, 31, 2.5, 1500.0, 0]
    assert parse(b"a: &x [1]\nb: *x", "x") == {"a": [1], "b": [1]}


def bomb(levels: int) -> str:
    """Lists that stand for ten to the power of `levels` values."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels + 1)]
    return "\n".join(lines)


def test_aliases_that_stand_for_more_than_memory_holds_are_refused() -> None:
    began = process_time()
    assert f"holds more than {MOST_VALUES} values" in refused(bomb(10))
    assert process_time() - began < 1
    assert parse(bomb(3).encode(), "x")


def test_a_value_in_a_message_is_cut_before_it_is_spelt_out() -> None:
    value: Any = "x"
    for _ in range(30):
        value = [value] * 10
    began = process_time()
    assert shown(value).startswith("[" * 30 + "'x', 'x', ")
    assert len(shown(value)) == 120
    assert process_time() - began < 0.1
    assert shown(1 << 100_000) == "a whole number of 100001 bits"
    assert shown("x" * (1 << 22)) == "x" * 119 + "…"
    assert shown({"a": [1, "b", None], "c": (1,)}) == "{'a': [1, 'b', None], 'c': (1,)}"
    loop: list[object] = []
    loop.append(loop)
    assert shown(loop) == "[" * 119 + "…"


def own(folder: Path, old: str, new: str) -> str:
    assert old in CATALOG
    (folder / "naming.yaml").write_text(CATALOG.replace(old, new))
    (folder / "naming.py").write_text(MODULE)
    with pytest.raises(PackError, match=r"^(rules/)?naming\.yaml") as error:
        load_own(folder)
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("subjects: [server]", "subjects: [[x]]", "[0].subjects: expected some of"),
        ("subjects: [server]", "subjects: [{a: b}]", "[0].subjects: expected some of"),
        ("severity: low", "severity: low\n  waivable: !!bool maybe", "line 5"),
        ("reviewed_on: 2026-11-25", "reviewed_on: !!timestamp foo", "line 13"),
        ("reviewed_on: 2026-11-25", "reviewed_on: 2026-11-25T12:00:00Z", "reviewed_on is a date"),
        ("version: 1", "version: true", "version a whole number"),
        ("severity: low", "severity: low\n  enforcement: [a]", "[0].enforcement: expected mandatory"),
        (TYPE, "type: array, items: {type: [x]}, default: [1],", "items.type: expected"),
        (TYPE, "type: array, items: {}, default: [],", "items: missing: type"),
        (TYPE, "type: [x], default: 4,", "least_length.type: expected integer"),
        (TYPE, "type: number, default: .inf,", "a finite number as 4.2, got .inf"),
        (TYPE, "type: number, default: 4, minimum: .nan,", "expected a finite number"),
        (TYPE, "type: integer, default: 4, minimum: true,", "minimum is not"),
        ("severity: low", f"severity: {'x' * 9_000}", "known: "),
        ("default: 4", "default: &a [1, 1]", "least_length.default: expected integer, got '[1, 1]'"),
    ],
)  # fmt: skip
def test_odd_metadata_of_a_rule_is_told_by_file(old: str, new: str, told: str, tmp_path: Path) -> None:
    said = own(tmp_path, old, new)
    assert told in said
    assert len(said) < 600


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_no_parameter_and_no_fact(value: float) -> None:
    schema = {"type": "number", "minimum": 0, "maximum": 100}
    with pytest.raises(PackError, match=r"^here: expected a finite number, got -?(nan|inf)"):
        check_value(value, schema, "here")
    with pytest.raises(PackError, match="maximum is not a finite number"):
        check_value(1, {**schema, "maximum": value}, "here")
    with pytest.raises(PackError, match="expected a finite number"):
        check_schema({"type": "number", "default": value, "description": "d"}, "here")
    with pytest.raises(MalformedFactError, match="used: expected a finite number, got"):
        Facts({"used": value}).number("used")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (LINE, "rule: \"\\x6eetwork.private-range\"", r"2, column 7: the escape \x"),
        (LINE, "\"\\x72ule\": network.private-range", r"line 2, column 1: the escape \x"),
        (LINE, "rule: \"network.\\\n  private-range\"", "line 2, column 7: the escape"),
        ("ticket: OPS-17", "ticket: \"OPS\\u202e\"", r"the escape \u"),
        (LINE, "# rule: change.network-stays\u2028rule: network.private-range", "U+2028"),
        (LINE, "# x \rrule: network.private-range\r# y", "line 2: the character U+000D"),
        (LINE, "<<: {rule: network.private-range}", "line 2, column 1: a merge key"),
        ("expires: 2026-11-29", "expires: !!bool maybe", "line 9, column 10: could not determine"),
    ],
)  # fmt: skip
def test_a_waiver_shows_its_approver_what_it_waives(old: str, new: str, told: str) -> None:
    assert old in WAIVER
    with pytest.raises(PackError, match=r"^waivers/W-1\.yaml: line ") as error:
        parse_waivers([("W-1.yaml", WAIVER.replace(old, new).encode())])
    assert told in str(error.value)


def test_a_waiver_may_quote() -> None:
    text = WAIVER.replace(
        "The old office still routes this range.", '"He said: \\"näin\\" \\\\o/\\nand went"'
    )
    assert parse_waivers([("W-1.yaml", text.encode())])[0].reason == 'He said: "näin" \\o/\nand went'
