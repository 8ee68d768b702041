"""Findings, the verdict, the words for figures, and the summary at the end of a run."""

from __future__ import annotations

import pytest

from orchestrator.reporting import humanise
from orchestrator.reporting.advice import next_steps
from orchestrator.reporting.columns import columns
from orchestrator.reporting.findings import collect
from orchestrator.reporting.model import Check, Finding, Report, StepState, Verdict
from orchestrator.reporting.page import gauge
from orchestrator.reporting.sentence import sentence
from orchestrator.reporting.terminal import findings, summary
from orchestrator.reporting.tone import Tone
from orchestrator.reporting.verdict import exit_code, numbers, policy_counts, server_tones, tone
from tests.unit.reporting import sample


def test_the_demo_is_all_good() -> None:
    report = sample.demo()
    assert tone(report) is Tone.GOOD
    assert sentence(report) == (
        "acme-demo is up: all 3 servers are healthy, every backup is inside its RPO, "
        "and nothing needs action."
    )
    assert (numbers(report).servers_healthy, numbers(report).backups_inside) == (3, 3)
    assert collect(report.policies, report.checks, report.backups, report.hosts, report.steps) == []


def test_the_failing_run_names_host_and_task() -> None:
    report = sample.failing()
    assert tone(report) is Tone.BAD
    assert sentence(report).startswith(
        "acme-demo is not ready: web-2 failed at nginx : Install the site; the other hosts were configured"
    )
    assert server_tones(report) == {"web-1": Tone.UNKNOWN, "web-2": Tone.BAD, "db-1": Tone.BAD}
    ranks = [finding.severity for finding in report.findings]
    assert ranks == sorted(ranks, key=("critical", "high", "medium", "low").index)
    assert not any(finding.source == "run" for finding in report.findings), "the host already tells it"


def test_unknown_is_never_good() -> None:
    report = sample.demo()
    unseen = [backup.model_copy(update={"verdict": Verdict.UNKNOWN}) for backup in report.backups]
    silent = report.model_copy(update={"backups": unseen})
    assert tone(silent) is Tone.ATTENTION
    found = collect((), (), unseen, (), ())
    assert len(found) == 3
    assert exit_code(found, ()) == 1
    assert tone(report.model_copy(update={"policies": ()})) is Tone.UNKNOWN
    assert tone(report.model_copy(update={"checks": ()})) is Tone.ATTENTION
    assert set(server_tones(report.model_copy(update={"checks": ()})).values()) == {Tone.UNKNOWN}
    assert tone(report.model_copy(update={"complete": False})) is Tone.UNKNOWN


def test_a_failed_step_nobody_explains_is_a_finding() -> None:
    ended = sample.steps({"provision": (StepState.FAILED, "podman: no space left on device")})
    [found] = collect((), (), (), (), ended)
    assert (found.source, found.subject, found.blocking) == ("run", "provision", True)
    assert exit_code([found], ended) == 3


def test_exit_codes() -> None:
    failing = sample.refused()
    blocked = [finding for finding in failing.findings if finding.source == "policy" and finding.blocking]
    assert exit_code((), sample.steps()) == 0
    assert exit_code(blocked, sample.steps()) == 1
    assert exit_code([blocked[0].model_copy(update={"blocking": False})], sample.steps()) == 0
    assert exit_code(sample.failing().findings, sample.failing().steps) == 3
    assert exit_code((), sample.steps({"verify": (StepState.STOPPED, "")})) == 130


def test_policy_states_add_up_to_the_pairs() -> None:
    for report in (sample.demo(), sample.failing()):
        counts = policy_counts(report)
        assert sum(counts.states.values()) == counts.pairs == len(report.policies)


def test_next_steps_are_ranked_and_quote_what_they_are_given() -> None:
    report = sample.failing()
    assert next_steps(report)[0].severity == "critical"
    assert len(next_steps(report, most=2)) == 4
    spaced = sample.demo(fleet_file="my fleets/a;b.yaml")
    assert next_steps(spaced)[0].command == "steward verify --fleet 'my fleets/a;b.yaml'"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.42, "0.4 s"),
        (4, "4 s"),
        (59.6, "1m"),
        (161, "2m 41s"),
        (7200, "2h"),
        (93600, "26h"),
        (273600, "3d 4h"),
        (9.97, "10 s"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert humanise.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1536, "1.5 KiB"),
        (10 * 2**30, "10 GiB"),
        (2**20 - 1, "1 MiB"),
        (2**60, "1024 PiB"),
    ],
)
def test_sizes(count: int, words: str) -> None:
    assert humanise.size(count) == words


def test_ages() -> None:
    assert humanise.age(4) == "4 s ago"
    assert humanise.age(None) == "unknown"
    assert humanise.age(-120) == "2m in the future"


def test_gauge_always_shows_the_rpo() -> None:
    fresh, old = (
        gauge(sample.backup("site", "web-1")),
        gauge(sample.backup("databases", "db-1", age_seconds=14400.0)),
    )
    assert fresh
    assert old
    assert (fresh.mark, fresh.fill) == (100, 1.5)
    assert (old.mark, old.fill) == (50, 100)
    assert gauge(sample.backup("site", "web-1", age_seconds=None)) is None


@pytest.mark.parametrize(
    "report", [sample.demo(), sample.failing(), sample.large(), sample.planned(), sample.refused()]
)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_summary_fits_its_window(report: Report, width: int) -> None:
    for text in (summary(report, "runs/report.html", width), findings(report, width)):
        assert max(columns(line) for line in text.splitlines()) <= width
        assert "\x1b" not in text


def test_summary_says_what_the_demo_did() -> None:
    text = summary(sample.demo(), "runs/01JD/report.html")
    for part in (
        "acme-demo  up in 2m 41s",
        "web-1  ssh 127.0.0.1:40021",
        "8 created",
        "3 hosts configured",
        "newest 4 s ago",
        "47 passed · 0 failed",
        "228 pass",
        "runs/01JD/report.html",
    ):
        assert part in text
    assert "\x1b[" in summary(sample.demo(), "runs/01JD/report.html", colour=True)


def test_a_backup_to_read_back_is_named_and_none_is_where_there_is_none() -> None:
    report = sample.demo()
    taken = next(each for each in report.backups if each.snapshot)
    wanted = f"steward backup restore --fleet {report.fleet_file} --host {taken.server} --plan {taken.plan}"
    assert wanted in [step.command for step in next_steps(report)]
    without = report.model_copy(update={"backups": ()})
    assert not any("restore" in step.command for step in next_steps(without))


def test_where_looking_found_what_a_hand_changed_the_next_step_is_not_to_look_again() -> None:
    bad = next(check for check in sample.failing().checks if check.verdict is Verdict.FAIL)
    told = Finding(source="check", severity="high", blocking=True, subject=bad.server, title="Check failed")
    changed = {"verb": "verify", "checks": (bad,), "findings": (told,), "exit_code": 1}
    looked = sample.demo().model_copy(update=changed)
    assert next_steps(looked)[-1].command == "steward up --fleet stacks/fleets/demo.yaml"
    assert next_steps(looked.model_copy(update={"verb": "up"}))[-1].command.startswith("steward verify")


def test_what_a_kernel_refuses_is_told_in_short() -> None:
    why = {"server": "web-1", "title": "t", "verdict": Verdict.NOT_APPLICABLE, "observed": "read-only"}
    refused = [Check(check=f"kernel.{number}", **why) for number in range(5)]
    text = summary(sample.demo().model_copy(update={"verb": "verify", "checks": refused}), "report.html")
    assert "kernel.1 on 1: read-only" in text
    assert "kernel.2" not in text
    assert "and 3 more, in the report" in text
