"""The lines of a job, read into one outcome per host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.plays.outcome import LAST_PLAY, OutcomeReader
from orchestrator.reporting.model import Host

RETRY = "steward configure --host {host}"


def read(hosts: list[str], *lines: Any) -> tuple[OutcomeReader, list[str]]:
    said: list[str] = []
    reader = OutcomeReader(hosts, said.append)
    for line in lines:
        reader.line(line if isinstance(line, str) else json.dumps(line))
    return reader, said


def task(kind: str, host: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "host": host, "task": "install", "role": "nginx", "seconds": 1.5, **more}


def stats(**counts: dict[str, int]) -> dict[str, Any]:
    return {"kind": "playbook_on_stats", **counts}


END = {"kind": "end", "status": "successful", "code": 0, "output": ""}
FAILED_END = {**END, "status": "failed", "code": 2, "output": "ERROR! no such playbook"}


def only(reader: OutcomeReader) -> Host:
    result = reader.result(RETRY)
    assert len(result.hosts) == 1
    return result.hosts[0]


def test_a_good_host() -> None:
    reader, _ = read(
        ["web-1"], task("runner_on_ok", "web-1"), stats(ok={"web-1": 5}, changed={"web-1": 2}), END
    )
    host = only(reader)
    assert (host.ok, host.changed, host.failed, host.unreachable) == (5, 2, 0, False)
    assert (host.failed_task, host.message, host.retry) == ("", "", "")
    assert host.duration_seconds == 1.5
    assert reader.result(RETRY).problem == ""


def test_an_ansible_that_was_killed_is_told_as_that_with_its_task() -> None:
    """A program that a signal ended has no exit code; what it printed until then is no reason."""
    killed = {**END, "status": "failed", "code": None, "output": "PLAY [Secure every host] ***"}
    begun = {"kind": "playbook_on_task_start", "task": "Look at packages"}
    for records, where in (([begun, killed], " in the middle of 'Look at packages'"), ([killed], "")):
        reader, _ = read(["web-1"], *records)
        host = only(reader)
        assert host.failed
        assert host.message == f"ansible was killed{where}; what it did since then is not known"


def test_a_failed_host_names_task_and_reason_and_how_to_repeat_it() -> None:
    failed = task("runner_on_failed", "web-1", message="no space left")
    reader, said = read(["web-1"], failed, stats(ok={"web-1": 3}, failures={"web-1": 1}), FAILED_END)
    host = only(reader)
    assert (host.failed, host.failed_task, host.message) == (1, "nginx : install", "no space left")
    assert host.retry == "steward configure --host web-1"
    assert said == ["web-1: failed: nginx : install"]
    assert reader.result(RETRY).problem == "", "what a host says is not told twice"


def test_an_unreachable_host_is_not_a_failed_task() -> None:
    gone = task("runner_on_unreachable", "web-1", message="Connection refused")
    host = only(read(["web-1"], gone, stats(dark={"web-1": 1}), FAILED_END)[0])
    assert (host.unreachable, host.failed, host.message) == (True, 0, "Connection refused")
    assert host.retry


def test_an_ignored_failure_is_none() -> None:
    ignored = task("runner_on_failed", "web-1", message="m", ignored=True)
    reader, said = read(["web-1"], ignored, stats(ok={"web-1": 1}, ignored={"web-1": 1}), END)
    assert only(reader).failed_task == ""
    assert said == []


def test_a_rescued_failure_leaves_no_trace_on_a_good_host() -> None:
    rescued = task("runner_on_failed", "web-1", message="m")
    host = only(read(["web-1"], rescued, stats(ok={"web-1": 4}, rescued={"web-1": 1}), END)[0])
    assert (host.failed, host.failed_task, host.message, host.retry) == (0, "", "", "")


def test_a_host_that_no_play_touched_is_a_failure() -> None:
    reader, _ = read(["web-1", "web-2"], stats(ok={"web-1": 4}), END)
    good, forgotten = reader.result(RETRY).hosts
    assert good.failed == 0
    assert (forgotten.failed, forgotten.retry) == (1, "steward configure --host web-2")
    assert "no host matched" in forgotten.message


def test_when_ansible_refuses_the_playbook_every_host_says_why() -> None:
    reader, _ = read(["web-1"], {"kind": "error", "message": "ERROR! bad role"}, FAILED_END)
    result = reader.result(RETRY)
    assert "bad role" in result.problem
    assert "no such playbook" in result.problem
    assert result.hosts[0].failed == 1
    assert result.hosts[0].message == result.problem


def test_a_job_that_died_is_a_problem_with_its_last_words() -> None:
    reader, _ = read(["web-1"], "Traceback (most recent call last):", "MemoryError")
    assert "MemoryError" in reader.result(RETRY).problem
    assert reader.result(RETRY).hosts[0].failed == 1


def test_a_timeout_is_named() -> None:
    reader, _ = read(["web-1"], stats(ok={"web-1": 1}), {**END, "status": "timeout"})
    assert reader.result(RETRY).problem == "the playbook took too long and was stopped"


def test_lines_that_are_no_records_are_kept_and_harmless() -> None:
    odd = ["plain", "[1]", "null", '"x"', "{}", '{"kind": "who knows"}', '{"kind": 5}', "{", ""]
    reader, said = read(["web-1"], *odd, stats(ok={"web-1": 1}), END)
    assert reader.noise == odd
    assert said == []
    assert only(reader).failed == 0


def test_the_strategy_is_told_only_when_it_is_the_second_best() -> None:
    reader, said = read([], {"kind": "strategy", "strategy": "steward_linear", "note": ""})
    assert (reader.strategy, said) == ("steward_linear", [])
    _, said = read([], {"kind": "strategy", "strategy": "linear", "note": "mitogen does not load: x"})
    assert said == ["pipelining instead of mitogen: mitogen does not load: x"]


def test_a_host_has_its_time_in_each_role_and_skipped_roles_are_left_out() -> None:
    def timed(kind: str, role: str, start: int, end: int, **more: Any) -> dict[str, Any]:
        at = [f"2026-11-22T12:00:{second:02d}+00:00" for second in (start, end)]
        return task(kind, "web-1", role=role, seconds=end - start, started_at=at[0], ended_at=at[1], **more)

    lines = [
        timed("runner_on_ok", "", 0, 2),
        timed("runner_on_ok", "baseline", 2, 5, changed=True),
        timed("runner_on_skipped", "baseline", 5, 6),
        timed("runner_on_skipped", "nginx", 6, 7),
        timed("runner_on_failed", "backup", 7, 9, message="m"),
    ]
    host = only(read(["web-1"], *lines, stats(ok={"web-1": 2}, failures={"web-1": 1}), END)[0])
    told = [(each.role, each.duration_seconds, each.changed, each.failed) for each in host.spans]
    assert told == [("", 2.0, 0, False), ("baseline", 4.0, 1, False), ("backup", 2.0, 0, True)]
    assert host.spans[1].started_at.isoformat() == "2026-11-22T12:00:02+00:00"


@pytest.mark.parametrize("ended", [None, "", "soon", "2026-11-22T12:00:00", 7])
def test_a_task_without_a_time_still_counts(ended: Any) -> None:
    reader, _ = read(["web-1"], task("runner_on_ok", "web-1", ended_at=ended), stats(ok={"web-1": 1}), END)
    assert (only(reader).duration_seconds, only(reader).spans) == (1.5, ())


def test_each_host_is_followed_task_by_task() -> None:
    seen: list[tuple[str, str, int, int]] = []
    reader = OutcomeReader(
        ["web-1", "web-2"], lambda _: None, lambda h: seen.append((h.name, h.state, h.tasks, h.changed))
    )
    for record in (
        {"kind": "runner_on_start", "host": "web-1", "task": "install"},
        task("runner_on_ok", "web-1", changed=True),
        task("runner_on_skipped", "web-1"),
        task("runner_on_failed", "web-2", message="no"),
        task("runner_on_ok", "web-1"),
        task("runner_on_ok", "not-asked-for"),
        stats(ok={"web-1": 2}, failures={"web-2": 1}),
    ):
        reader.line(json.dumps(record))
    assert seen == [
        ("web-1", "working", 0, 0),
        ("web-1", "working", 1, 1),
        ("web-2", "failed", 1, 0),
        ("web-1", "working", 2, 1),
        ("web-1", "done", 2, 1),
    ]


def test_a_playbook_that_ended_before_its_last_play_was_cut_short() -> None:
    """Ansible leaves the rest out when every host of one play failed; the other hosts look well."""
    last = {"kind": "playbook_on_play_start", "host": "", "task": LAST_PLAY}
    failed = task("runner_on_failed", "app-1", message="no")
    counts = stats(ok={"web-1": 5, "app-1": 3}, failures={"app-1": 1})
    assert read(["web-1", "app-1"], failed, counts, END)[0].cut_short
    assert not read(["web-1", "app-1"], failed, last, counts, END)[0].cut_short


def test_the_last_play_is_the_last_of_the_playbook() -> None:
    plays = yaml.safe_load((Path(__file__).parents[4] / "playbooks" / "site.yml").read_text())
    assert plays[-1]["name"] == LAST_PLAY
    assert plays[-1]["hosts"] == "all"


def test_of_what_ansible_cannot_begin_with_the_reason_is_told_at_its_line() -> None:
    said = (
        "[WARNING]: something else\n[ERROR]: couldn't resolve module/action 'community.general.htpaswd'. "
        "This often indicates a misspelling.\nOrigin: /p/roles/greeting/tasks/main.yml:4:3\n\n"
        "4 - name: Greet\n    ^ column 3\n"
    )
    reader, _ = read(["web-1"], {"kind": "error", "message": said}, {**FAILED_END, "output": said})
    host = only(reader)
    assert host.message.startswith("/p/roles/greeting/tasks/main.yml:4: couldn't resolve module/action")
    assert "column" not in host.message
