"""The newest policy report of a stack is found, read, or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.main import run
from orchestrator.errors import InputError
from orchestrator.policy_reports import (
    FILE,
    earlier_policy_reports,
    left_by_last_up,
    newest_policy_report,
    read_policy_report,
)
from orchestrator.reporting.policy.json import to_json
from orchestrator.reporting.policy.model import Deferred
from orchestrator.settings import Settings, load_settings
from tests.unit.reporting.policy import sample


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    sample.refused(), sample.earlier()  # judged once, while the standard streams are real ones
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    return load_settings()


def left(settings: Settings, run: str, text: str) -> Path:
    folder = settings.run_folder(run)
    folder.mkdir(parents=True)
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder / FILE


def test_the_newest_of_the_stack_is_found(settings: Settings) -> None:
    assert newest_policy_report(settings) is None
    report = sample.refused()
    first = left(settings, "01", to_json(sample.earlier()[0]))
    second = left(settings, "02", to_json(report))
    other = left(settings, "03", to_json(report.model_copy(update={"stack": "beta-prod"})))
    left(settings, "04", to_json(report)[:-99])
    assert newest_policy_report(settings, report.stack) == second
    assert newest_policy_report(settings) == other
    assert newest_policy_report(settings, "gamma-prod") is None
    assert earlier_policy_reports(settings, report) == [read_policy_report(first)]


def test_only_what_an_up_put_off_is_still_to_be_settled(settings: Settings) -> None:
    report = sample.refused()
    pair = Deferred(rule="network.ssh-not-public", subject="urn", path="ingress", planned_at=report.ended_at)
    made = report.model_copy(update={"command": ("steward", "up"), "deferred": (pair,)})
    assert left_by_last_up(settings, report.stack) == ()
    left(settings, "01", to_json(made))
    left(settings, "02", to_json(made.model_copy(update={"command": ("steward", "plan"), "deferred": ()})))
    assert left_by_last_up(settings, report.stack) == (pair,)
    left(settings, "03", to_json(made.model_copy(update={"deferred": ()})))
    assert left_by_last_up(settings, report.stack) == ()


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, '{"schema": "steward.report/2"}', "\x00"])
def test_what_is_no_report_is_refused(settings: Settings, text: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_policy_report(left(settings, "01", text))


def test_bytes_that_are_no_text_are_refused(settings: Settings) -> None:
    path = left(settings, "01", "")
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="cannot be read"):
        read_policy_report(path)


def test_explain_reads_the_newest_report(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    subject = "ssh-not-public-fail-web-1"
    assert run(["policy", "explain", sample.SSH, subject]) == 2
    assert "no run left a policy report" in capsys.readouterr().err
    left(settings, "01", to_json(sample.earlier()[0]))
    path = left(settings, "02", to_json(sample.refused()))
    for extra in ([], ["--stack", "acme-demo"], ["--report", str(path)]):
        assert run(["policy", "explain", sample.SSH, subject, *extra]) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"{sample.SSH} on {subject}: waived\n")
        assert "01KBX1  fail" in said
    assert run(["policy", "explain", sample.SSH, subject, "--stack", "acme-prod"]) == 2
    assert run(["policy", "explain", sample.SSH, "no-such-server"]) == 2
    assert run(["policy", "explain", sample.SSH, "--stack", "acme-demo"]) == 2
    assert "SUBJECT" in capsys.readouterr().err
