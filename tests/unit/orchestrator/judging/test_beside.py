"""What is set beside facts of hosts is whole, or it is refused: half a feed would call a host clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import InputError
from orchestrator.judging.beside import read_expected, read_feed

FEED: dict[str, Any] = {
    "as_of": "2026-11-29T06:00:00+00:00",
    "count": 2,
    "packages": {
        "openssl": [{"id": "CVE-2026-1", "severity": "high", "fixed_version": "3.0.12-1", "urgency": "high"}],
        "zlib": [{"id": "CVE-2026-2", "severity": None, "fixed_version": None}],
    },
}


def written(folder: Path, content: object) -> Path:
    path = folder / "given.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_whole_feed_is_read_as_it_is(tmp_path: Path) -> None:
    assert read_feed(written(tmp_path, FEED)) == FEED
    uncounted = {key: value for key, value in FEED.items() if key != "count"}
    assert read_feed(written(tmp_path, uncounted)) == uncounted


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (json.dumps(FEED)[:-20], "not whole JSON"),
        ([], "this is no feed of known vulnerabilities"),
        (FEED | {"as_of": "yesterday"}, "as_of"),
        (FEED | {"packages": {}}, "packages"),
        (FEED | {"packages": {"openssl": FEED["packages"]["openssl"]}}, "the 1 entries that are there"),
        (FEED | {"count": True}, "count"),
        (FEED | {"packages": {"openssl": "none"}}, "packages.openssl"),
        (FEED | {"packages": {"openssl": [{"severity": "high"}]}}, "a mapping with an id"),
        (FEED | {"packages": {"openssl": [{"id": "CVE-1", "fixed_version": 3}]}}, "[0].fixed_version"),
    ],
)
def test_a_feed_that_is_not_whole_is_refused_by_place(content: object, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_feed(written(tmp_path, content))
    assert told in str(error.value)
    assert "given.json" in str(error.value)


def test_what_is_expected_is_by_host(tmp_path: Path) -> None:
    told = {"web-1": {"administrators": [], "ports": [{"protocol": "tcp", "port": 22}]}}
    assert read_expected(written(tmp_path, told)) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([], "this is no mapping of hosts"),
        ({"web-1": []}, "web-1"),
        ({"web-1": {"adminstrators": []}}, "adminstrators"),
    ],
)
def test_what_nobody_can_expect_is_refused(content: object, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_expected(written(tmp_path, content))
    assert told in str(error.value)
