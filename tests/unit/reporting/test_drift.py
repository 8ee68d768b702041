"""Drift for people and for programs: what is wrong first, whole, and unable to act."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orchestrator.reporting.columns import columns
from orchestrator.reporting.drift import (
    SCHEMA_FILE,
    Drift,
    DriftItem,
    DriftSubject,
    drift_of,
    drift_schema,
    to_json,
)
from orchestrator.reporting.drift_text import drift_text
from tests.fakes import NOON
from tests.unit.reporting import sample
from tests.unit.reporting.test_hostile import ACTING, CORPUS

ITEM = {"kind": "file", "name": "/etc/x", "how": "change", "expected": "mode 0644", "observed": "mode 0666",
        "server": "web-1", "changed_at": NOON, "also": ["link /etc/y"], "fix": "steward up"}  # fmt: skip


def drift(**changed: Any) -> Drift:
    item = DriftItem.model_validate(ITEM | changed)
    subjects = [
        DriftSubject(kind="host", name="web-1", state="drifted", items=[item], since="RUN1", since_at=NOON),
        DriftSubject(kind="host", name="db-1", state="unknown", reason=changed.get("name", "SSH failed")),
        DriftSubject(kind="host", name="web-2", state="clean"),
        DriftSubject(kind="resource", name="network app", state="clean"),
    ]
    return drift_of(sample.demo(), subjects, ["steward up --fleet d"])


def test_the_text_has_every_state_and_what_next() -> None:
    text = drift_text(drift())
    for line in (
        "1 drifted · 1 unknown · 2 clean · 1 difference",
        "~ file /etc/x  changed 2026-11-22 12:00:00 UTC",
        "is        mode 0666",
        "should be mode 0644",
        "with it   link /etc/y",
        "unknown: SSH failed",
        "✓ 1 host clean: web-2",
        "next  steward up --fleet d",
    ):
        assert line in text, text
    assert "no role puts it back (run RUN2)" in drift_text(drift(unhealed_since="RUN2"))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_text_fits_the_window(width: int) -> None:
    assert max(columns(line) for line in drift_text(drift(), width).splitlines()) <= width


def test_the_committed_schema_is_the_models_and_documents_fit_it() -> None:
    committed = Path(__file__).parents[3] / "docs" / "schemas" / SCHEMA_FILE
    assert committed.read_text() == drift_schema()
    document = json.loads(to_json(drift()))
    jsonschema.Draft202012Validator(json.loads(drift_schema())).validate(document)
    assert document["clean"] + document["drifted"] + document["unknown"] == len(document["subjects"])


@pytest.mark.parametrize("poison", CORPUS)
def test_nothing_a_host_says_acts(poison: str) -> None:
    text = drift_text(
        drift(name=poison, observed=poison, expected=poison, also=[poison], fix=poison, unhealed_since="R")
    )
    assert not ACTING.search(text)
    assert json.loads(to_json(drift(name=poison)))["subjects"][0]["items"][0]["name"] == poison
