"""Whatever a host or a fleet file says, no format lets it act."""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from orchestrator.reporting.escape import columns, markdown_code, markdown_text, shorten, terminal, visible
from orchestrator.reporting.html import to_html
from orchestrator.reporting.json import from_json, to_json
from orchestrator.reporting.markdown import to_markdown
from orchestrator.reporting.model import Report
from orchestrator.reporting.terminal import findings, summary
from tests.unit.reporting import sample
from tests.unit.reporting.test_formats import parsed

CORPUS = (
    "<script>alert(1)</script>",
    "</style></title></svg><img src=x onerror=alert(1)>",
    "]]>--><!--",
    '" onmouseover="alert(1)" x=\'',
    "a|b\\|c",
    "`code` ```fence``` ``",
    "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "safe\u202egnp.exe\u2066\u200b\ufeff",
    "line\n/close\r\n/approve\n# head\n| a |",
    "{{7*7}} {% raw %} {#",
    "@all #1 !2 ~label %3 www.evil.example https://evil.example",
    "[text](javascript:alert(1)) **bold** <b>",
    "&lt;script&gt; &#64;all",
    "::error::owned ##vso[x]",
)
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


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


def hostile(poison: str) -> Report:
    return Report.model_validate(poisoned(sample.failing(), poison))


@pytest.mark.parametrize("poison", CORPUS)
def test_html_keeps_its_shape(poison: str) -> None:
    clean, page = parsed(to_html(sample.failing())), parsed(to_html(hostile(poison)))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in clean.tags} | {"code"}
    allowed = {name for _, attrs in clean.tags for name in attrs}
    assert {name for _, attrs in page.tags for name in attrs} <= allowed
    assert not ACTING.search(to_html(hostile(poison)))
    assert "49" not in "".join(page.text) or "7*7" not in poison or "{{7*7}}" in "".join(page.text)


@pytest.mark.parametrize("poison", CORPUS)
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


@pytest.mark.parametrize("poison", CORPUS)
def test_terminal_shows_and_never_obeys(poison: str) -> None:
    for text in (summary(hostile(poison), "report.html"), findings(hostile(poison))):
        assert not ACTING.search(text)
        assert all(columns(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("poison", CORPUS)
def test_json_round_trip(poison: str) -> None:
    report = hostile(poison)
    assert from_json(to_json(report)) == report
    assert to_json(report).isascii()


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_visible_leaves_nothing_that_acts_and_is_stable(value: str) -> None:
    shown = visible(value)
    assert not ACTING.search(shown)
    assert "\n" not in shown
    assert visible(shown) == shown == terminal(value)


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
