"""Whatever a host or a fleet file says, no format lets it act."""

from __future__ import annotations

import json
import re
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from orchestrator.reporting.columns import columns, shorten
from orchestrator.reporting.escape import markdown_code, markdown_text, terminal, visible
from orchestrator.reporting.html import to_html
from orchestrator.reporting.json import from_json, to_json
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Report
from orchestrator.reporting.terminal import findings, summary
from tests.unit.reporting import sample
from tests.unit.reporting.test_formats import Strict, parsed

CASES: dict[str, str] = json.loads((Path(__file__).parent / "hostile.json").read_text(encoding="utf-8"))
LONG = {"very-long": 300, "very-long-words": 60}
"""How often these cases are repeated; the file stays readable."""
CORPUS = {name: text * LONG.get(name, 1) for name, text in CASES.items()}
ACTING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def poisoned(value: Any, poison: str, key: str = "") -> Any:
    """The same report with the poison in every free text there is."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {(fields[n].alias or n): poisoned(getattr(value, n), poison, n) for n in fields}
    if isinstance(value, dict):
        return {f"{k}": poisoned(v, poison, key) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return tuple(poisoned(item, poison, key) for item in value)
    closed = key in {"op", "severity", "state", "source", "verdict", "schema_", "effect", "how"}
    if isinstance(value, str) and not isinstance(value, Enum | datetime) and not (closed and key != "source"):
        return (
            value
            if value in ("policy", "check", "service", "backup", "host", "run", "anywhere")
            else f"{value[:6]}{poison}"
        )
    return value


@cache
def hostile(poison: str) -> Report:
    """A report is frozen, so that all who ask may have the same."""
    return Report.model_validate(poisoned(sample.failing(), poison))


@cache
def clean_page() -> Strict:
    """The page without any poison, to compare with."""
    return parsed(to_html(sample.failing()))


@pytest.mark.parametrize("poison", CORPUS.values(), ids=CORPUS)
def test_html_keeps_its_shape(poison: str) -> None:
    text = to_html(hostile(poison))
    clean, page = clean_page(), parsed(text)
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in clean.tags} | {"code"}
    allowed = {name for _, attrs in clean.tags for name in attrs}
    assert {name for _, attrs in page.tags for name in attrs} <= allowed
    assert not ACTING.search(text)
    assert "49" not in "".join(page.text) or "7*7" not in poison or "{{7*7}}" in "".join(page.text)


@pytest.mark.parametrize("poison", CORPUS.values(), ids=CORPUS)
def test_markdown_keeps_its_shape(poison: str) -> None:
    text = to_markdown(hostile(poison))
    assert not ACTING.search(text)
    outside = re.sub(r"(?ms)^ *(`{3,})text\n.*?^ *\1$", "", text)
    for line in outside.splitlines():
        assert not line.startswith(("/", "#1", "<script", "@")), line
        bare = re.sub(r"`[^`]*`|<code>[^<]*</code>", "", line)
        assert not re.search(r"[@\[\]{}]|https?:|www\.|<(?!/?(details|summary)>)", bare), line
    heads = [line for line in outside.splitlines() if line.startswith("#")]
    assert len(heads) == 3


@pytest.mark.parametrize("poison", CORPUS.values(), ids=CORPUS)
def test_terminal_shows_and_never_obeys(poison: str) -> None:
    for text in (summary(hostile(poison), "report.html"), findings(hostile(poison))):
        assert not ACTING.search(text)
        assert all(columns(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("poison", CORPUS.values(), ids=CORPUS)
def test_json_round_trip(poison: str) -> None:
    report = hostile(poison)
    assert from_json(to_json(report)) == report
    assert to_json(report).isascii()


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_visible_leaves_nothing_that_acts_and_is_stable(value: str) -> None:
    shown = visible(value)
    assert not ACTING.search(shown)
    assert "\n" not in shown
    assert visible(shown) == shown
    assert not re.search(r"##(\[|vso\[|teamcity\[)", terminal(value))


@settings(max_examples=300)
@given(st.text(alphabet=st.one_of(st.sampled_from("`|\\<>@#*_&;/ ab"), st.characters(codec="utf-8"))))
def test_markdown_code_never_ends_early(value: str) -> None:
    code = markdown_code(value)
    assert "|" not in code
    assert "\n" not in code
    assert code == "–" or re.fullmatch(r"`[^`\\]+`|<code>[^<>`@]*</code>", code), code


@given(st.text(alphabet=st.sampled_from("ab1.@#/:w-_*`|<>~! ,")))
def test_markdown_text_has_no_word_that_acts(value: str) -> None:
    bare = re.sub(r"`[^`]*`|<code>[^<]*</code>", "", markdown_text(value))
    assert not re.search(r"[@#/*_`|<>~!]|www\.", bare), bare


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_shorten_keeps_its_limit(value: str, limit: int) -> None:
    assert columns(shorten(visible(value), limit)) <= limit


def test_a_value_without_end_costs_a_moment_and_a_few_lines() -> None:
    [first, *_] = sample.failing().findings
    endless = first.model_copy(update={"observed": "A" * 1_000_000, "title": "x " * 200_000})
    began = perf_counter()
    text = findings(sample.failing().model_copy(update={"findings": (endless,)}))
    assert perf_counter() - began < 5.0
    assert len(text.splitlines()) < 40
    assert text.count("the rest is in the report") == 2
