"""What the job passes on of Ansible's events, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from orchestrator.plays.job import choose_strategy, handle, message_of


def passed_on(capsys: pytest.CaptureFixture[str], event: dict[str, Any]) -> Any:
    assert handle(event) is False, "True makes ansible-runner keep a file for each event"
    said = capsys.readouterr().out
    return json.loads(said) if said else None


def test_an_unwatched_event_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    assert passed_on(capsys, {"event": "verbose", "stdout": "secret"}) is None


def test_a_failure_carries_role_task_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    details = {"host": "web-1", "task": "install", "role": "nginx", "duration": 2.0, "res": {"msg": "no"}}
    record = passed_on(capsys, {"event": "runner_on_failed", "event_data": details})
    assert record["kind"] == "runner_on_failed"
    assert (record["host"], record["role"], record["message"], record["seconds"]) == (
        "web-1",
        "nginx",
        "no",
        2.0,
    )


def test_a_good_result_is_not_copied(capsys: pytest.CaptureFixture[str]) -> None:
    details = {"host": "web-1", "task": "t", "res": {"msg": "secret", "changed": True}}
    record = passed_on(capsys, {"event": "runner_on_ok", "event_data": details})
    assert record["changed"] is True
    assert "secret" not in json.dumps(record)


def test_statistics_pass_whole(capsys: pytest.CaptureFixture[str]) -> None:
    record = passed_on(
        capsys, {"event": "playbook_on_stats", "event_data": {"ok": {"a": 1}, "dark": {"b": 1}}}
    )
    assert record["ok"] == {"a": 1}
    assert record["dark"] == {"b": 1}


def test_messages() -> None:
    assert message_of({"censored": "hidden by no_log", "msg": "secret"}) == "hidden by no_log"
    assert message_of({"msg": "a", "stderr": "b", "module_stderr": "a"}) == "a; b"
    assert (
        message_of({"msg": "loop", "results": [{"failed": True, "msg": "x"}, {"msg": "fine"}]}) == "loop; x"
    )
    assert len(message_of({"msg": "x" * 10_000})) == 2_000


def test_a_strategy_that_was_asked_for_is_taken() -> None:
    assert choose_strategy("linear") == ("linear", "asked for")


def test_descendants_end_with_the_job_even_those_that_left_their_parent() -> None:
    """The grandchild outlives its parent, so that only a subreaper still finds it."""
    script = """
import ctypes, subprocess, sys
from orchestrator.plays.job import end_descendants
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
orphan = "setsid sleep 60 >/dev/null 2>&1 & echo $!"
shell = subprocess.run(["sh", "-c", orphan], capture_output=True, text=True)
subprocess.Popen(["sleep", "60"])
print(shell.stdout.strip(), flush=True)
end_descendants()
"""
    argv = [sys.executable, "-P", "-c", script]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=20, check=True, env={**os.environ, "PYTHONPATH": path}
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
