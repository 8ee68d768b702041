"""Pulumi's own history beside the ledger: which change belongs to a run, and which to nobody's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.judging.sources import Whose, source_of
from orchestrator.provisioning.history import history_document
from policies.facts import MalformedFactError, UnknownFactError
from policies.model import Subject
from policies.subjects.document import DocumentError
from policies.subjects.history import history_subjects

BEGAN = 1_795_986_592
RUN = {
    "id": "01JD",
    "verb": "up",
    "started_at": datetime.fromtimestamp(BEGAN - 5, UTC).isoformat(),
    "ended_at": datetime.fromtimestamp(BEGAN + 30, UTC).isoformat(),
}


def entry(**other: object) -> dict[str, Any]:
    """What Pulumi wrote of an update through the automation API."""
    usual = {
        "kind": "update", "startTime": BEGAN, "endTime": BEGAN + 3, "result": "succeeded", "version": 0,
        "environment": {"exec.kind": "auto.local"}, "resourceChanges": {"create": 10},
    }  # fmt: skip
    return {**usual, **other}


def subjects(folder: Path, *runs: dict[str, Any]) -> list[Subject]:
    return history_subjects(history_document(folder, runs), stack="acme-demo", tags={})


def judged(tmp_path: Path, written: dict[str, Any], *runs: dict[str, Any]) -> str | None:
    """The run of the one change in the folder."""
    (tmp_path / f"acme-demo-{BEGAN}.history.json").write_text(json.dumps(written))
    (found,) = subjects(tmp_path, *runs)
    return found.facts.text_or_none("run")


def test_a_change_belongs_to_the_run_that_holds_its_times(tmp_path: Path) -> None:
    assert judged(tmp_path, entry(), RUN) == "01JD"


def test_a_change_of_the_run_under_way_belongs_to_it(tmp_path: Path) -> None:
    assert judged(tmp_path, entry(), {**RUN, "ended_at": None}) == "01JD"


@pytest.mark.parametrize(
    "written",
    [
        entry(environment={"exec.kind": "cli"}),  # a person's, in the middle of a run
        entry(environment={}),
        entry(kind="destroy"),
        entry(kind="import"),
        entry(startTime=BEGAN - 60),
        entry(endTime=BEGAN + 60),
    ],
)
def test_what_no_run_makes_belongs_to_none(tmp_path: Path, written: dict[str, Any]) -> None:
    assert judged(tmp_path, written, RUN) is None


def test_a_run_that_only_looks_makes_no_change(tmp_path: Path) -> None:
    assert judged(tmp_path, entry(), {**RUN, "verb": "plan"}) is None


def test_a_change_is_named_by_what_when_and_whose_account(tmp_path: Path) -> None:
    judged(tmp_path, entry(environment={"exec.kind": "cli"}))
    (found,) = subjects(tmp_path)
    assert found.name == "update of 2026-11-29T21:09:52+00:00"
    assert found.facts.text("by") == tmp_path.owner()


@pytest.mark.parametrize(
    "content", ["{", "[]", "null", '{"kind": "update"}', '{"startTime": {}}', "[" * 9_000]
)
def test_a_file_that_cannot_be_read_is_a_change_that_nobody_knows(tmp_path: Path, content: str) -> None:
    (tmp_path / "acme-demo-1.history.json").write_text(content)
    (found,) = subjects(tmp_path, RUN)
    with pytest.raises(UnknownFactError):
        found.facts.text("run")


def test_what_pulumi_prints_itself_is_judged_without_the_ledger_and_stays_unknown() -> None:
    printed = [entry(startTime="2026-11-29T21:09:52.000Z", endTime="2026-11-29T21:09:55.000Z")]
    source = source_of("history.json", json.dumps(printed).encode(), Whose("acme-demo", {}, None))
    (found,) = source.subjects
    assert source.kind == "engine history"
    with pytest.raises(UnknownFactError, match="ledger"):
        found.facts.text("run")


def test_the_document_of_a_run_is_judged_offline_as_it_was_there(tmp_path: Path) -> None:
    (tmp_path / "acme-demo-1.history.json").write_text(json.dumps(entry()))
    document = json.dumps(history_document(tmp_path, [RUN])).encode()
    (found,) = source_of("history.json", document, Whose("acme-demo", {}, None)).subjects
    assert [found] == subjects(tmp_path, RUN)


@pytest.mark.parametrize("runs", [None, "x", [{}], [{"run": "r", "verb": "up", "started_at": "today"}], [1]])
def test_a_ledger_that_is_none_is_refused_by_name(runs: object) -> None:
    document = {"schema": "steward.pulumi-history/1", "entries": [], "runs": runs}
    with pytest.raises((DocumentError, MalformedFactError), match="runs"):
        history_subjects(document, stack="s", tags={})
