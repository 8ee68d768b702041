"""What people and programs are shown: safe for a terminal, whole for a program."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from orchestrator.backups.documents import RestoreResult, Snapshot
from orchestrator.backups.putting_back import Restored
from orchestrator.cli.backup_tables import backup_table, next_commands, restore_text, snapshot_table
from orchestrator.cli.live import LiveProgress
from orchestrator.cli.output import as_document, colour, emit, width
from orchestrator.cli.progress import PlainProgress, progress
from orchestrator.cli.tables import aligned
from orchestrator.pipelines.step import Step
from orchestrator.reporting.model import Backup, Finding, StepState, Verdict
from orchestrator.reporting.model import Step as StepRecord
from tests.fakes import NOON
from tests.unit.orchestrator.samples import fleet

HOSTILE = "\x1b]0;owned\x07\u202eevil\n"


def harmless(text: str) -> bool:
    return not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", text)


def test_a_document_names_its_schema_and_turns_everything_into_json() -> None:
    document = json.loads(as_document("steward.x/1", at=NOON, path=Path("/p"), n=1))
    assert document == {"schema": "steward.x/1", "at": str(NOON), "path": "/p", "n": 1}


def test_documents_of_models_hold_their_fields() -> None:
    """Not the text that Python shows of them."""
    snapshot = Snapshot(id="5a" * 32, time=NOON, plan="site")
    document = json.loads(as_document("steward.backup-list/1", servers={"web-1": [snapshot]}))
    assert document["servers"]["web-1"][0]["id"] == "5a" * 32


def test_results_end_in_one_newline(capsys: pytest.CaptureFixture[str]) -> None:
    emit("a")
    emit("b\n")
    assert capsys.readouterr().out == "a\nb\n"


def test_a_pipe_gets_no_colour_and_eighty_columns() -> None:
    assert not colour()
    assert width() == 80


def backup(**changed: object) -> Backup:
    values = {
        "plan": "site", "server": "web-1", "repository": "vault", "snapshot": "", "arrived_at": None,
        "age_seconds": None, "rpo_seconds": 7200.0, "rto_seconds": 60.0,
    }  # fmt: skip
    return Backup.model_validate({**values, **changed})


def test_backups_as_a_table() -> None:
    rows = [
        backup(verdict=Verdict.PASS, snapshot="5a" * 32, age_seconds=60.0, bytes=2048),
        backup(verdict=Verdict.FAIL, message=HOSTILE),
    ]
    _, good, bad = backup_table(rows).splitlines()
    assert good.startswith("ok")
    assert "5a5a5a5a" in good
    assert bad.startswith("MISSED")
    assert "never" in bad
    assert harmless(bad)
    assert backup_table([]) == "no backup plan applies to these servers"


def test_what_to_run_next_is_told_once_a_plan_and_only_of_backups() -> None:
    def finding(subject: str, fix: str, source: Literal["backup", "host"] = "backup") -> Finding:
        return Finding(source=source, severity="high", blocking=True, subject=subject, title="t", fix=fix)

    rows = [finding("a/web-1", "x --plan a"), finding("a/web-2", "x --plan a"), finding("b/web-1", HOSTILE),
            finding("web-1", "another verb", "host"), finding("c/web-1", "")]  # fmt: skip
    first, second = next_commands(rows).splitlines()
    assert first == "next: x --plan a"
    assert second.startswith("next: ")
    assert harmless(second)
    assert next_commands([]) == ""


def test_snapshots_as_a_table() -> None:
    snapshot = Snapshot(
        id="5a" * 32, time=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC), plan=HOSTILE, paths=["/a"] * 5
    )
    text = snapshot_table({"web-1": [snapshot]})
    assert "2026-11-22 01:02:03 UTC" in text
    assert "/a, /a, /a, …" in text
    assert harmless(text)
    assert snapshot_table({"web-1": []}) == "no snapshot yet"


def test_columns_line_up() -> None:
    assert aligned([["a", "b"], ["long", "c"]]) == "a     b\nlong  c"


def restored(**changed: object) -> RestoreResult:
    values = {
        "schema": "steward.backup-restore/1",
        "plan": "site",
        "ok": True,
        "snapshot": "5a" * 32,
        "files_compared": 3,
    }
    return RestoreResult.model_validate({**values, **changed})


def test_a_restore_says_what_was_compared_or_what_differs() -> None:
    done = Restored(
        server="web-1", plan="site", spec=fleet().backups["site"], snapshot="5a" * 32, target="/srv/b",
        databases=(), fleet_file="shop.yaml", predecessor=True,
    )  # fmt: skip
    told = restore_text(restored(), done)
    assert "compared 3 files with the backup's own digests: all the same" in told
    assert "web-1: plan site, snapshot 5a5a5a5a of a predecessor" in told
    assert "the copy stays in /srv/b on web-1" in told
    text = restore_text(restored(ok=False, files_different=[HOSTILE] * 12), done)
    assert "NOT the same: 12 differ" in text
    assert harmless(text)
    assert "NOT the same: disk full" in restore_text(restored(ok=False, error="disk full"), done)


STEP = Step("configure", "configure", "write", lambda: None)


def record(state: StepState, message: str = "3 hosts") -> StepRecord:
    return StepRecord(
        name="configure",
        phase="configure",
        state=state,
        started_at=NOON,
        duration_seconds=12.34,
        message=message,
    )


def test_progress_in_a_pipe_is_a_line_each_and_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    view = progress()
    assert isinstance(view, PlainProgress)
    view.started(STEP)
    view.say(f"web-1: {HOSTILE}")
    view.ended(STEP, record(StepState.FAILED, HOSTILE))
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 3
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    assert "✗ configure" in lines[2]
    assert "12.3 s" in lines[2]
    assert "\x1b" not in said.err


def test_a_quiet_view_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    view = progress(quiet=True)
    view.started(STEP)
    view.say("x")
    view.ended(STEP, record(StepState.DONE))
    assert capsys.readouterr().err == ""


def test_every_state_has_a_sign(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainProgress(quiet=False)
    for state in StepState:
        view.ended(STEP, record(state))
    assert len(capsys.readouterr().err.splitlines()) == len(StepState)


def test_a_terminal_gets_a_live_view(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    view = progress()
    assert isinstance(view, LiveProgress)
    view.say("nobody is at work")
    view.started(STEP)
    view.say(f"[bold]not markup {HOSTILE}")
    view.ended(STEP, record(StepState.DONE, "[red]3 hosts"))
    assert "[red]3 hosts" in screen.getvalue()
    assert "\x1b]0;owned" not in screen.getvalue()
    monkeypatch.setenv("CI", "true")
    assert isinstance(progress(), PlainProgress)
    monkeypatch.delenv("CI")
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress(), PlainProgress)
