"""Whatever a name, a value or a reason holds, no format of the policy report lets it act."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from pydantic import BaseModel

from orchestrator.reporting.policy.csv import to_csv
from orchestrator.reporting.policy.explain import explain
from orchestrator.reporting.policy.html import to_html
from orchestrator.reporting.policy.json import from_json, to_json
from orchestrator.reporting.policy.junit import to_junit
from orchestrator.reporting.policy.markdown import MOST, to_markdown
from orchestrator.reporting.policy.model import PolicyReport
from orchestrator.reporting.policy.oscal import to_oscal
from orchestrator.reporting.policy.reconcile import check
from orchestrator.reporting.policy.sarif import to_sarif
from tests.unit.reporting.policy import sample
from tests.unit.reporting.policy.test_formats import SARIF, oscal_model
from tests.unit.reporting.test_csv import RUN_BY_A_SPREADSHEET
from tests.unit.reporting.test_formats import Strict, parsed
from tests.unit.reporting.test_hostile import ACTING, CORPUS

VALID_SARIF = jsonschema.Draft7Validator(SARIF)
CLOSED = ("schema_", "phase", "kind", "severity", "state", "enforcement", "on_unknown", "settled_state")
"""What holds one of a few words, so that no text can get into it."""


def poisoned(value: Any, poison: str, key: str = "") -> Any:
    """The same with the poison behind every free text, names included: what agrees goes on agreeing."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {(fields[n].alias or n): poisoned(getattr(value, n), poison, n) for n in fields}
    if isinstance(value, dict):
        if key in ("counts", "by_kind"):
            return value
        if key in ("matrix", "enforcement"):
            return {f"{name}{poison}": word for name, word in value.items()}
        return {f"{name}{poison}": poisoned(each, poison, key) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(poisoned(each, poison, key) for each in value)
    return f"{value}{poison}" if isinstance(value, str) and key not in CLOSED else value


@cache
def hostile(poison: str) -> PolicyReport:
    return check(PolicyReport.model_validate(poisoned(sample.refused(), poison)))


@cache
def clean_page() -> Strict:
    """The page without any poison, to compare with."""
    return parsed(to_html(sample.refused()))


@cache
def clean_heads() -> list[str]:
    return heads(to_markdown(sample.refused()))


def heads(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")]


ALL = pytest.mark.parametrize("poison", CORPUS.values(), ids=CORPUS)


@ALL
def test_json_comes_back(poison: str) -> None:
    text = to_json(hostile(poison))
    assert from_json(text) == hostile(poison)
    assert text.isascii()


@ALL
def test_sarif_stays_valid_and_holds_no_link(poison: str) -> None:
    text = to_sarif(hostile(poison))
    log = json.loads(text)
    VALID_SARIF.validate(log)
    for value in _texts(log):
        assert not ACTING.search(value), value
    messages = [each["message"]["text"] for each in log["runs"][0]["results"]]
    assert not any(re.search(r"\[[^\]]*\]\(", text) for text in messages)
    assert not any(re.search(r"(?<!\{)\{(\{\{)*\d+\}", text) for text in messages)
    for each in log["runs"][0]["results"]:
        uri = each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9_.~/%-]+", uri), uri


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in [key, *_texts(each)]]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


@ALL
def test_junit_stays_xml(poison: str) -> None:
    text = to_junit(hostile(poison))
    root = ElementTree.fromstring(text.encode("utf-8"))  # noqa: S314  # our own
    assert {each.tag for each in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped",
    }  # fmt: skip
    assert not ACTING.search(text)


@ALL
def test_csv_runs_nothing(poison: str) -> None:
    for row in csv.reader(StringIO(to_csv(hostile(poison)), newline=""), strict=True):
        assert not any(value.lstrip(" ").startswith(RUN_BY_A_SPREADSHEET) for value in row), row


@ALL
def test_markdown_keeps_its_shape_and_its_size(poison: str) -> None:
    text = to_markdown(hostile(poison))
    assert len(text) < MOST
    assert not ACTING.search(text)
    assert heads(text) == clean_heads()
    for line in text.splitlines():
        bare = re.sub(r"`[^`]*`|<code>[^<]*</code>", "", line)
        assert not re.search(r"[@\[\]{}<>]|https?:|www\.", bare), line
        assert not line.startswith(("/", "#1"))


@ALL
def test_oscal_stays_valid(poison: str) -> None:
    text = to_oscal(hostile(poison))
    oscal_model().model_validate_json(text)
    assert text.isascii()


@ALL
def test_an_explanation_stays_on_its_lines(poison: str) -> None:
    report = hostile(poison)
    text = explain(report, report.results[0].rule, report.subjects[report.results[0].on[0]].id, [report])
    assert not ACTING.search(text)
    assert not re.search(r"##(\[|vso|teamcity)", text)
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


@ALL
def test_html_keeps_its_shape(poison: str) -> None:
    clean, page = clean_page(), to_html(hostile(poison))
    found = parsed(page)
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in clean.tags}
    assert {name for _, attrs in found.tags for name in attrs} <= {
        n for _, attrs in clean.tags for n in attrs
    }
    assert not ACTING.search(page)
    assert "49" not in "".join(found.text) or "7*7" not in poison or "{{7*7}}" in "".join(found.text)
