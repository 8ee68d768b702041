"""`steward report` on records of runs: every format, and records that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestrator.cli.main import app
from orchestrator.reporting.json import to_json
from tests.unit.reporting import sample

RUN = "01JD0000000000000000000000"


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The record of a run in a STEWARD_HOME of its own."""
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    folder = tmp_path / "runs" / RUN
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(to_json(sample.demo(run=RUN)))
    return folder / "report.json"


def report(*words: str) -> Result:
    return CliRunner().invoke(app, ["report", *words])


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("text", " ✓ acme-demo"),
        ("json", "{"),
        ("csv", "what,state,"),
        ("markdown", "###"),
        ("html", "<!doctype html>"),
    ],
)
def test_every_format_is_drawn_from_the_record(record: Path, form: str, begins: str) -> None:
    done = report("latest", "--format", form)
    assert done.exit_code == 0, done.output
    assert done.stdout.lower().startswith(begins.lower())


@pytest.mark.parametrize(
    "text", ["{", "[]", "", json.dumps({"schema": "steward.report/9", "checks": [], "policies": []})]
)
def test_a_record_that_cannot_be_read_is_bad_input_and_names_the_page(record: Path, text: str) -> None:
    record.write_text(text)
    problem = report(RUN).exception
    assert type(problem).__name__ == "InputError"
    assert "cannot be read by this version" in str(problem)
    assert str(record.with_name("report.html")) in str(problem)


def test_a_run_that_left_none_is_named(record: Path) -> None:
    assert "no report of run 'nobody'" in str(report("nobody").exception)
